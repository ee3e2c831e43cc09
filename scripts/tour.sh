#!/bin/sh
# The researcher's loop on mini-MIAS, where it lies beside the checkout: scripts/tour.sh FOLDER
# Its pictures stay in FOLDER and are never committed: the set's licence is for research only.
set -eu
cd "$(dirname "$0")/.."
data=${MINI_MIAS:-../shared/data/mini-mias}
out=$1
if [ ! -d "$data" ]; then
    echo "The tour of mini-MIAS is left out: $data is not there (MINI_MIAS names another folder)."
    exit 0
fi
mkdir -p "$out"
.venv/bin/mammoview-trainer index mias "$data" -o "$out/mini-mias.csv"
QT_QPA_PLATFORM=offscreen .venv/bin/mammoview demo --loop "$out/mini-mias.csv" \
    --model mias-abnormality --model mias-lesions --screenshots "$out"

#!/bin/sh
# The researcher's loop on mini-MIAS, where it lies beside the checkout: scripts/tour.sh FOLDER
# Its pictures stay in FOLDER and are never committed: the set's licence is for research only.
set -eu

# Names are of the folder that the caller stands in, not of the checkout.
absolute() {
    case $1 in
        /*) printf '%s\n' "$1" ;;
        *) printf '%s\n' "$PWD/$1" ;;
    esac
}

if [ -z "${1:-}" ]; then
    echo "scripts/tour.sh FOLDER: name the folder that the pictures go into." >&2
    exit 1
fi
out=$(absolute "$1")
data=${MINI_MIAS:+$(absolute "$MINI_MIAS")}
cd "$(dirname "$0")/.."
data=${data:-../shared/data/mini-mias}
if [ ! -d "$data" ]; then
    echo "The tour of mini-MIAS is left out: $data is not there (MINI_MIAS names another folder)."
    exit 0
fi
mkdir -p "$out"
.venv/bin/mammoview-trainer index mias "$data" -o "$out/mini-mias.csv"
QT_QPA_PLATFORM=offscreen .venv/bin/mammoview demo --loop "$out/mini-mias.csv" \
    --model mias-abnormality --model mias-lesions --screenshots "$out"

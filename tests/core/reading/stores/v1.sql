PRAGMA application_id = 1296914007;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
BEGIN TRANSACTION;
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    study TEXT NOT NULL,
    reading TEXT NOT NULL,
    label TEXT NOT NULL,
    edits TEXT NOT NULL,
    reader TEXT NOT NULL,
    made TEXT NOT NULL,
    undoes INTEGER REFERENCES changes (seq)
);
INSERT INTO "changes" VALUES(1,'study-1','study-1','length drawn','[["annotation/a1", null, "{\"decision\":null,\"frame\":0,\"image\":\"1.2.3.4\",\"kind\":\"length\",\"made\":\"2026-11-03T10:40:00+00:00\",\"points\":[[10.0,20.5],[30.25,40.0]],\"proposal\":null,\"reader\":\"Dr Roe\",\"text\":\"\",\"uid\":\"a1\"}"]]','Dr Roe','2026-11-03T10:40:00+00:00',NULL);
INSERT INTO "changes" VALUES(2,'study-1','study-1','nipple drawn','[["annotation/a2", null, "{\"decision\":null,\"frame\":0,\"image\":\"1.2.3.4\",\"kind\":\"nipple\",\"made\":\"2026-11-03T10:41:00+00:00\",\"points\":[[100.0,5.0]],\"proposal\":null,\"reader\":\"Dr Roe\",\"text\":\"\",\"uid\":\"a2\"}"]]','Dr Roe','2026-11-03T10:41:00+00:00',NULL);
INSERT INTO "changes" VALUES(3,'study-1','study-1','arrow drawn','[["annotation/a3", null, "{\"decision\":null,\"frame\":0,\"image\":\"1.2.3.4\",\"kind\":\"arrow\",\"made\":\"2026-11-03T10:42:00+00:00\",\"points\":[[1.0,2.0],[3.0,4.0]],\"proposal\":null,\"reader\":\"Dr Roe\",\"text\":\"here\",\"uid\":\"a3\"}"]]','Dr Roe','2026-11-03T10:42:00+00:00',NULL);
INSERT INTO "changes" VALUES(4,'study-1','study-1','arrow drawn','[["annotation/a3", "{\"decision\":null,\"frame\":0,\"image\":\"1.2.3.4\",\"kind\":\"arrow\",\"made\":\"2026-11-03T10:42:00+00:00\",\"points\":[[1.0,2.0],[3.0,4.0]],\"proposal\":null,\"reader\":\"Dr Roe\",\"text\":\"here\",\"uid\":\"a3\"}", null]]','Dr Roe','2026-11-03T10:43:00+00:00',3);
INSERT INTO "changes" VALUES(5,'study-1','study-1','key image','[["key-image/1.2.3.4/0", null, "{\"made\":\"2026-11-03T10:44:00+00:00\",\"reader\":\"Dr Roe\"}"]]','Dr Roe','2026-11-03T10:44:00+00:00',NULL);
INSERT INTO "changes" VALUES(6,'study-1','study-1','marked as read','[["read", null, "{\"made\":\"2026-11-03T10:45:00+00:00\",\"reader\":\"Dr Roe\"}"]]','Dr Roe','2026-11-03T10:45:00+00:00',NULL);
CREATE TABLE items (
    study TEXT NOT NULL,
    item TEXT NOT NULL,
    data TEXT,
    since INTEGER NOT NULL REFERENCES changes (seq),
    seq INTEGER NOT NULL REFERENCES changes (seq),
    PRIMARY KEY (study, item)
) WITHOUT ROWID;
INSERT INTO "items" VALUES('study-1','annotation/a1','{"decision":null,"frame":0,"image":"1.2.3.4","kind":"length","made":"2026-11-03T10:40:00+00:00","points":[[10.0,20.5],[30.25,40.0]],"proposal":null,"reader":"Dr Roe","text":"","uid":"a1"}',1,1);
INSERT INTO "items" VALUES('study-1','annotation/a2','{"decision":null,"frame":0,"image":"1.2.3.4","kind":"nipple","made":"2026-11-03T10:41:00+00:00","points":[[100.0,5.0]],"proposal":null,"reader":"Dr Roe","text":"","uid":"a2"}',2,2);
INSERT INTO "items" VALUES('study-1','annotation/a3',NULL,3,4);
INSERT INTO "items" VALUES('study-1','key-image/1.2.3.4/0','{"made":"2026-11-03T10:44:00+00:00","reader":"Dr Roe"}',5,5);
INSERT INTO "items" VALUES('study-1','read','{"made":"2026-11-03T10:45:00+00:00","reader":"Dr Roe"}',6,6);
CREATE INDEX changes_of_reading ON changes (reading, seq);
CREATE INDEX changes_of_study ON changes (study, seq);
CREATE TRIGGER changes_stay BEFORE UPDATE ON changes BEGIN SELECT RAISE (ABORT, 'a change stays'); END;
CREATE TRIGGER changes_are_kept BEFORE DELETE ON changes BEGIN SELECT RAISE (ABORT, 'a change stays'); END;
CREATE INDEX items_read ON items (item, study) WHERE item = 'read';
COMMIT;

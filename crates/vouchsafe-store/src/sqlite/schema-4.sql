ALTER TABLE subject ADD COLUMN last_act INTEGER NOT NULL DEFAULT 0 CHECK (last_act BETWEEN 0 AND 255);

ALTER TABLE holding ADD COLUMN review_at INTEGER;
UPDATE holding SET review_at = created_at WHERE state = 1;
CREATE INDEX holding_review ON holding (organisation, review_at, leaf)
    WHERE state = 1 AND review_at IS NOT NULL;

CREATE TABLE holding_tally (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    class INTEGER NOT NULL,
    live INTEGER NOT NULL CHECK (live >= 0),
    PRIMARY KEY (organisation, class)
) STRICT, WITHOUT ROWID;
INSERT INTO holding_tally SELECT organisation, class, count(*) FROM holding WHERE state = 1
    GROUP BY organisation, class;

CREATE INDEX served_of_subject ON served (organisation, subject);

-- The empty scope stands for the person as a whole.
CREATE TABLE life_event (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    scope BLOB NOT NULL CHECK (length(scope) IN (0, 3)),
    trigger INTEGER NOT NULL CHECK (trigger BETWEEN 1 AND 7),
    at INTEGER NOT NULL,
    entry INTEGER NOT NULL CHECK (entry >= 0),
    PRIMARY KEY (organisation, subject, scope, trigger)
) STRICT, WITHOUT ROWID;

CREATE TABLE residence (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    jurisdiction INTEGER NOT NULL CHECK (jurisdiction BETWEEN 0 AND 255),
    since INTEGER NOT NULL,
    entry INTEGER NOT NULL CHECK (entry >= 0),
    PRIMARY KEY (organisation, subject, jurisdiction)
) STRICT, WITHOUT ROWID;

CREATE TABLE legal_hold (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    matter TEXT NOT NULL,
    authority INTEGER NOT NULL CHECK (authority BETWEEN 0 AND 255),
    subject BLOB CHECK (length(subject) = 32),
    class INTEGER,
    placed_at INTEGER NOT NULL,
    expires INTEGER,
    released_at INTEGER,
    requested_by TEXT NOT NULL,
    approved_by TEXT NOT NULL CHECK (approved_by <> requested_by),
    entry INTEGER NOT NULL CHECK (entry >= 0),
    PRIMARY KEY (organisation, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX legal_hold_of_subject ON legal_hold (organisation, subject);

CREATE TABLE document (
    organisation TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    leaf INTEGER NOT NULL,
    kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 4),
    field INTEGER NOT NULL CHECK (field BETWEEN 0 AND 255),
    sealed BLOB NOT NULL,
    key_version INTEGER NOT NULL CHECK (key_version > 0),
    entry INTEGER NOT NULL,
    next_at INTEGER,
    closed_at INTEGER,
    PRIMARY KEY (organisation, id),
    FOREIGN KEY (organisation, leaf) REFERENCES holding (organisation, leaf),
    FOREIGN KEY (organisation, entry) REFERENCES entry (organisation, number)
) STRICT;
CREATE INDEX document_of_leaf ON document (organisation, leaf, kind);
CREATE INDEX document_of_key ON document (organisation, key_version);
CREATE INDEX document_due ON document (organisation, kind, next_at, id)
    WHERE next_at IS NOT NULL AND closed_at IS NULL;

CREATE TABLE job (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 255),
    subject BLOB CHECK (length(subject) = 32),
    state BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    run_at INTEGER,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    lease_until INTEGER,
    fence INTEGER NOT NULL CHECK (fence >= 0),
    finished_at INTEGER,
    PRIMARY KEY (organisation, id)
) STRICT;
CREATE INDEX job_due ON job (organisation, kind, run_at, id) WHERE run_at IS NOT NULL;
CREATE INDEX job_of_subject ON job (organisation, subject) WHERE subject IS NOT NULL;

CREATE TABLE retention (
    organisation TEXT PRIMARY KEY REFERENCES organisation (id),
    policy BLOB NOT NULL CHECK (length(policy) = 32),
    activated_at INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    swept_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE organisation (
    id TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE notice (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    id TEXT NOT NULL,
    version TEXT NOT NULL,
    locale TEXT NOT NULL,
    shown BLOB NOT NULL,
    published_at INTEGER NOT NULL,
    UNIQUE (organisation, digest),
    UNIQUE (organisation, id, locale, version)
) STRICT;

CREATE TABLE subject (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    pseudonym BLOB NOT NULL CHECK (length(pseudonym) = 32),
    last_interaction INTEGER NOT NULL,
    PRIMARY KEY (organisation, pseudonym)
) STRICT, WITHOUT ROWID;

CREATE TABLE consent (
    organisation TEXT NOT NULL,
    subject BLOB NOT NULL,
    scope BLOB NOT NULL CHECK (length(scope) = 3),
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    notice BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (organisation, subject, scope),
    FOREIGN KEY (organisation, subject) REFERENCES subject (organisation, pseudonym),
    FOREIGN KEY (organisation, notice) REFERENCES notice (organisation, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE holding (
    organisation TEXT NOT NULL,
    leaf INTEGER NOT NULL CHECK (leaf >= 0),
    class INTEGER NOT NULL,
    subject BLOB NOT NULL,
    scope BLOB,
    state INTEGER NOT NULL CHECK (state IN (1, 2, 3)),
    created_at INTEGER NOT NULL,
    created_entry INTEGER,
    cause TEXT,
    changed_at INTEGER,
    destroyed_entry INTEGER,
    PRIMARY KEY (organisation, leaf),
    FOREIGN KEY (organisation, subject) REFERENCES subject (organisation, pseudonym)
) STRICT, WITHOUT ROWID;
CREATE INDEX holding_of_subject ON holding (organisation, subject, class, scope);
CREATE UNIQUE INDEX one_biometric_holding ON holding (organisation, subject, scope) WHERE class = 1 AND state < 3;
CREATE INDEX holding_condemned ON holding (organisation, leaf) WHERE state = 2;

CREATE TABLE record (
    organisation TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    leaf INTEGER NOT NULL,
    model BLOB NOT NULL,
    dimension INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (organisation, leaf),
    UNIQUE (organisation, id),
    FOREIGN KEY (organisation, leaf) REFERENCES holding (organisation, leaf)
) STRICT;

CREATE TABLE entry (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    number INTEGER NOT NULL CHECK (number >= 0),
    bytes BLOB NOT NULL,
    PRIMARY KEY (organisation, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE public_payload (
    organisation TEXT NOT NULL,
    entry INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (organisation, entry),
    FOREIGN KEY (organisation, entry) REFERENCES entry (organisation, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE payload (
    organisation TEXT NOT NULL,
    entry INTEGER NOT NULL,
    leaf INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    sealed BLOB NOT NULL,
    PRIMARY KEY (organisation, entry),
    FOREIGN KEY (organisation, entry) REFERENCES entry (organisation, number),
    FOREIGN KEY (organisation, leaf) REFERENCES holding (organisation, leaf)
) STRICT;
CREATE INDEX payload_of_leaf ON payload (organisation, leaf);

-- Documents of more kinds: which there are is the facade's to say. SQLite changes no constraint of a table in place.
CREATE TABLE document_7 (
    organisation TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    leaf INTEGER NOT NULL,
    kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 255),
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
INSERT INTO document_7 SELECT organisation, id, leaf, kind, field, sealed, key_version, entry, next_at, closed_at
    FROM document;
DROP TABLE document;
ALTER TABLE document_7 RENAME TO document;
CREATE INDEX document_of_leaf ON document (organisation, leaf, kind);
CREATE INDEX document_of_key ON document (organisation, key_version);
CREATE INDEX document_due ON document (organisation, kind, next_at, id)
    WHERE next_at IS NOT NULL AND closed_at IS NULL;
DELETE FROM sqlite_stat1 WHERE tbl IN ('document', 'document_7');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('document', 'sqlite_autoindex_document_1', '1000000 1000000 1'),
    ('document', 'document_of_leaf', '1000000 1000000 2 2'),
    ('document', 'document_of_key', '1000000 1000000 500000'),
    ('document', 'document_due', '100000 100000 50000 2 1');
ANALYZE sqlite_schema;

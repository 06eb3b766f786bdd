ALTER TABLE notice ADD COLUMN effective_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notice ADD COLUMN material INTEGER NOT NULL DEFAULT 0 CHECK (material IN (0, 1));
ALTER TABLE notice ADD COLUMN attested_by INTEGER NOT NULL DEFAULT 0 CHECK (attested_by >= 0);
ALTER TABLE notice ADD COLUMN terms BLOB NOT NULL DEFAULT x'';
ALTER TABLE notice ADD COLUMN schedule BLOB NOT NULL DEFAULT x'';
UPDATE notice SET effective_at = published_at;

ALTER TABLE consent RENAME TO consent_2;
CREATE TABLE consent (
    organisation TEXT NOT NULL,
    subject BLOB NOT NULL,
    scope BLOB NOT NULL CHECK (length(scope) = 3),
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    status INTEGER NOT NULL CHECK (status BETWEEN 1 AND 7),
    notice BLOB NOT NULL,
    at INTEGER NOT NULL,
    expires INTEGER,
    entry INTEGER,
    newest INTEGER NOT NULL CHECK (newest IN (0, 1)),
    PRIMARY KEY (organisation, subject, scope, sequence),
    FOREIGN KEY (organisation, subject) REFERENCES subject (organisation, pseudonym),
    FOREIGN KEY (organisation, notice) REFERENCES notice (organisation, digest)
) STRICT, WITHOUT ROWID;
INSERT INTO consent (organisation, subject, scope, sequence, status, notice, at, newest)
    SELECT organisation, subject, scope, sequence, iif(withdrawn, 4, 1), notice, at, 1 FROM consent_2;
DROP TABLE consent_2;
CREATE UNIQUE INDEX one_newest_consent ON consent (organisation, subject, scope) WHERE newest = 1;
CREATE INDEX consent_due ON consent (organisation, expires)
    WHERE newest = 1 AND status <= 2 AND expires IS NOT NULL;

CREATE TABLE served (
    organisation TEXT NOT NULL,
    ticket BLOB NOT NULL CHECK (length(ticket) = 16),
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    scope BLOB NOT NULL CHECK (length(scope) = 3),
    notice BLOB NOT NULL,
    served_at INTEGER NOT NULL,
    entry INTEGER NOT NULL CHECK (entry >= 0),
    used_sequence INTEGER CHECK (used_sequence > 0),
    PRIMARY KEY (organisation, ticket),
    FOREIGN KEY (organisation, notice) REFERENCES notice (organisation, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE subject_mark (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    mark INTEGER NOT NULL CHECK (mark BETWEEN 1 AND 3),
    set_at INTEGER NOT NULL,
    entry INTEGER NOT NULL CHECK (entry >= 0),
    PRIMARY KEY (organisation, subject, mark)
) STRICT, WITHOUT ROWID;

-- In the order of arrival: entries of many organisations share a page, and only the narrow index has one for each.
CREATE TABLE entry_3 (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    number INTEGER NOT NULL CHECK (number >= 0),
    bytes BLOB NOT NULL,
    PRIMARY KEY (organisation, number)
) STRICT;
INSERT INTO entry_3 SELECT organisation, number, bytes FROM entry ORDER BY organisation, number;
DROP TABLE entry;
ALTER TABLE entry_3 RENAME TO entry;

-- Which process does the work that every process would begin by itself. The token grows with each change of hands.
CREATE TABLE lease (
    organisation TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    work BIGINT NOT NULL CHECK (work BETWEEN 1 AND 255),
    holder BYTEA NOT NULL CHECK (length(holder) = 16),
    token BIGINT NOT NULL CHECK (token > 0),
    until BIGINT,
    PRIMARY KEY (organisation, work)
);
ALTER TABLE lease ENABLE ROW LEVEL SECURITY;
ALTER TABLE lease FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON lease USING (organisation = current_setting('vouchsafe.organisation', true));

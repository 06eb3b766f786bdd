-- Which process does the work that every process would begin by itself. The token grows with each change of hands.
CREATE TABLE lease (
    organisation TEXT NOT NULL REFERENCES organisation (id),
    work INTEGER NOT NULL CHECK (work BETWEEN 1 AND 255),
    holder BLOB NOT NULL CHECK (length(holder) = 16),
    token INTEGER NOT NULL CHECK (token > 0),
    until INTEGER,
    PRIMARY KEY (organisation, work)
) STRICT, WITHOUT ROWID;

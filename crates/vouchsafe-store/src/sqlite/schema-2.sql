ALTER TABLE record ADD COLUMN key_version INTEGER NOT NULL DEFAULT 1 CHECK (key_version > 0);
ALTER TABLE payload ADD COLUMN key_version INTEGER NOT NULL DEFAULT 1 CHECK (key_version > 0);
CREATE INDEX record_of_key ON record (organisation, key_version);
CREATE INDEX payload_of_key ON payload (organisation, key_version);

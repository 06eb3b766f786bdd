-- Documents of more kinds: which there are is the facade's to say.
ALTER TABLE document DROP CONSTRAINT document_kind_check;
ALTER TABLE document ADD CONSTRAINT document_kind_check CHECK (kind BETWEEN 1 AND 255);

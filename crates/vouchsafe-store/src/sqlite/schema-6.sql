-- What the planner cannot know: that one organisation has millions of rows. Without statistics it takes the first column
-- of any key for good enough, and walks all that an organisation has. Figures of a large organisation; only their
-- proportions matter. They are fixed, so that plans do not change with the data.
ANALYZE sqlite_schema;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('subject', 'subject', '1000000 1000000 1'),
    ('consent', 'consent', '3000000 3000000 3 2 1'),
    ('consent', 'one_newest_consent', '1500000 1500000 2 1'),
    ('consent', 'consent_due', '1500000 1500000 2'),
    ('served', 'served', '3000000 3000000 1'),
    ('served', 'served_of_subject', '3000000 3000000 3'),
    ('subject_mark', 'subject_mark', '10000 10000 2 1'),
    ('life_event', 'life_event', '100000 100000 2 2 1'),
    ('residence', 'residence', '1000000 1000000 2 1'),
    ('holding', 'holding', '4000000 4000000 1'),
    ('holding', 'holding_of_subject', '4000000 4000000 4 2 1'),
    ('holding', 'one_biometric_holding', '1000000 1000000 1 1'),
    ('holding', 'holding_condemned', '100 100 1'),
    ('holding', 'holding_review', '3000000 3000000 2 1'),
    ('holding', 'holding_spent', '1000 1000 2 1'),
    ('record', 'sqlite_autoindex_record_1', '1000000 1000000 1'),
    ('record', 'sqlite_autoindex_record_2', '1000000 1000000 1'),
    ('record', 'record_of_key', '1000000 1000000 500000'),
    ('entry', 'sqlite_autoindex_entry_1', '20000000 20000000 1'),
    ('public_payload', 'public_payload', '10000 10000 1'),
    ('payload', 'sqlite_autoindex_payload_1', '10000000 10000000 1'),
    ('payload', 'payload_of_leaf', '10000000 10000000 3'),
    ('payload', 'payload_of_key', '10000000 10000000 5000000'),
    ('document', 'sqlite_autoindex_document_1', '1000000 1000000 1'),
    ('document', 'document_of_leaf', '1000000 1000000 2 2'),
    ('document', 'document_of_key', '1000000 1000000 500000'),
    ('document', 'document_due', '100000 100000 50000 2 1'),
    ('legal_hold', 'legal_hold', '1000 1000 1'),
    ('legal_hold', 'legal_hold_of_subject', '1000 1000 2'),
    ('job', 'sqlite_autoindex_job_1', '10000 10000 1'),
    ('job', 'job_due', '100 100 50 2 1'),
    ('job', 'job_of_subject', '10000 10000 2'),
    ('job', 'job_finished', '10000 10000 2 1');
ANALYZE sqlite_schema;

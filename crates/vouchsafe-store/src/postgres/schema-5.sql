-- The logical schema of SQLite's migrations 1 to 5. Text sorts by its bytes, on every server.

CREATE TABLE organisation (
    id TEXT COLLATE "C" PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE TABLE notice (
    organisation TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    ordinal BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
    digest BYTEA NOT NULL CHECK (length(digest) = 32),
    id TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    locale TEXT COLLATE "C" NOT NULL,
    shown BYTEA NOT NULL,
    published_at BIGINT NOT NULL,
    effective_at BIGINT NOT NULL,
    material BIGINT NOT NULL CHECK (material IN (0, 1)),
    attested_by BIGINT NOT NULL CHECK (attested_by >= 0),
    terms BYTEA NOT NULL,
    schedule BYTEA NOT NULL,
    PRIMARY KEY (organisation, ordinal),
    UNIQUE (organisation, digest),
    UNIQUE (organisation, id, locale, version)
);

CREATE TABLE subject (
    organisation TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    pseudonym BYTEA NOT NULL CHECK (length(pseudonym) = 32),
    last_interaction BIGINT NOT NULL,
    last_act BIGINT NOT NULL CHECK (last_act BETWEEN 0 AND 255),
    PRIMARY KEY (organisation, pseudonym)
);

CREATE TABLE consent (
    organisation TEXT COLLATE "C" NOT NULL,
    subject BYTEA NOT NULL,
    scope BYTEA NOT NULL CHECK (length(scope) = 3),
    sequence BIGINT NOT NULL CHECK (sequence > 0),
    status BIGINT NOT NULL CHECK (status BETWEEN 1 AND 7),
    notice BYTEA NOT NULL,
    at BIGINT NOT NULL,
    expires BIGINT,
    entry BIGINT,
    newest BIGINT NOT NULL CHECK (newest IN (0, 1)),
    PRIMARY KEY (organisation, subject, scope, sequence),
    FOREIGN KEY (organisation, subject) REFERENCES subject (organisation, pseudonym),
    FOREIGN KEY (organisation, notice) REFERENCES notice (organisation, digest)
);

CREATE TABLE served (
    organisation TEXT COLLATE "C" NOT NULL,
    ticket BYTEA NOT NULL CHECK (length(ticket) = 16),
    subject BYTEA NOT NULL CHECK (length(subject) = 32),
    scope BYTEA NOT NULL CHECK (length(scope) = 3),
    notice BYTEA NOT NULL,
    served_at BIGINT NOT NULL,
    entry BIGINT NOT NULL CHECK (entry >= 0),
    used_sequence BIGINT CHECK (used_sequence > 0),
    PRIMARY KEY (organisation, ticket),
    FOREIGN KEY (organisation, notice) REFERENCES notice (organisation, digest)
);

CREATE TABLE subject_mark (
    organisation TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    subject BYTEA NOT NULL CHECK (length(subject) = 32),
    mark BIGINT NOT NULL CHECK (mark BETWEEN 1 AND 3),
    set_at BIGINT NOT NULL,
    entry BIGINT NOT NULL CHECK (entry >= 0),
    PRIMARY KEY (organisation, subject, mark)
);

CREATE TABLE life_event (
    organisation TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    subject BYTEA NOT NULL CHECK (length(subject) = 32),
    scope BYTEA NOT NULL CHECK (length(scope) IN (0, 3)),
    trigger BIGINT NOT NULL CHECK (trigger BETWEEN 1 AND 7),
    at BIGINT NOT NULL,
    entry BIGINT NOT NULL CHECK (entry >= 0),
    PRIMARY KEY (organisation, subject, scope, trigger)
);

CREATE TABLE residence (
    organisation TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    subject BYTEA NOT NULL CHECK (length(subject) = 32),
    jurisdiction BIGINT NOT NULL CHECK (jurisdiction BETWEEN 0 AND 255),
    since BIGINT NOT NULL,
    entry BIGINT NOT NULL CHECK (entry >= 0),
    PRIMARY KEY (organisation, subject, jurisdiction)
);

CREATE TABLE holding (
    organisation TEXT COLLATE "C" NOT NULL,
    leaf BIGINT NOT NULL CHECK (leaf >= 0),
    class BIGINT NOT NULL,
    subject BYTEA NOT NULL,
    scope BYTEA,
    state BIGINT NOT NULL CHECK (state IN (1, 2, 3)),
    created_at BIGINT NOT NULL,
    created_entry BIGINT,
    cause TEXT COLLATE "C",
    changed_at BIGINT,
    destroyed_entry BIGINT,
    review_at BIGINT,
    PRIMARY KEY (organisation, leaf),
    FOREIGN KEY (organisation, subject) REFERENCES subject (organisation, pseudonym)
);

CREATE TABLE holding_tally (
    organisation TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    class BIGINT NOT NULL,
    live BIGINT NOT NULL CHECK (live >= 0),
    PRIMARY KEY (organisation, class)
);

CREATE TABLE record (
    organisation TEXT COLLATE "C" NOT NULL,
    id BYTEA NOT NULL CHECK (length(id) = 16),
    leaf BIGINT NOT NULL,
    model BYTEA NOT NULL,
    dimension BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    key_version BIGINT NOT NULL CHECK (key_version > 0),
    PRIMARY KEY (organisation, leaf),
    UNIQUE (organisation, id),
    FOREIGN KEY (organisation, leaf) REFERENCES holding (organisation, leaf)
);

CREATE TABLE entry (
    organisation TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    number BIGINT NOT NULL CHECK (number >= 0),
    bytes BYTEA NOT NULL,
    PRIMARY KEY (organisation, number)
);

CREATE TABLE public_payload (
    organisation TEXT COLLATE "C" NOT NULL,
    entry BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (organisation, entry),
    FOREIGN KEY (organisation, entry) REFERENCES entry (organisation, number)
);

CREATE TABLE payload (
    organisation TEXT COLLATE "C" NOT NULL,
    entry BIGINT NOT NULL,
    leaf BIGINT NOT NULL,
    id BYTEA NOT NULL CHECK (length(id) = 16),
    sealed BYTEA NOT NULL,
    key_version BIGINT NOT NULL CHECK (key_version > 0),
    PRIMARY KEY (organisation, entry),
    FOREIGN KEY (organisation, entry) REFERENCES entry (organisation, number),
    FOREIGN KEY (organisation, leaf) REFERENCES holding (organisation, leaf)
);

CREATE TABLE document (
    organisation TEXT COLLATE "C" NOT NULL,
    id BYTEA NOT NULL CHECK (length(id) = 16),
    leaf BIGINT NOT NULL,
    kind BIGINT NOT NULL CHECK (kind BETWEEN 1 AND 4),
    field BIGINT NOT NULL CHECK (field BETWEEN 0 AND 255),
    sealed BYTEA NOT NULL,
    key_version BIGINT NOT NULL CHECK (key_version > 0),
    entry BIGINT NOT NULL,
    next_at BIGINT,
    closed_at BIGINT,
    PRIMARY KEY (organisation, id),
    FOREIGN KEY (organisation, leaf) REFERENCES holding (organisation, leaf),
    FOREIGN KEY (organisation, entry) REFERENCES entry (organisation, number)
);

CREATE TABLE legal_hold (
    organisation TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    id BYTEA NOT NULL CHECK (length(id) = 16),
    matter TEXT COLLATE "C" NOT NULL,
    authority BIGINT NOT NULL CHECK (authority BETWEEN 0 AND 255),
    subject BYTEA CHECK (length(subject) = 32),
    class BIGINT,
    placed_at BIGINT NOT NULL,
    expires BIGINT,
    released_at BIGINT,
    requested_by TEXT COLLATE "C" NOT NULL,
    approved_by TEXT COLLATE "C" NOT NULL CHECK (approved_by <> requested_by),
    entry BIGINT NOT NULL CHECK (entry >= 0),
    PRIMARY KEY (organisation, id)
);

CREATE TABLE job (
    organisation TEXT COLLATE "C" NOT NULL REFERENCES organisation (id),
    id BYTEA NOT NULL CHECK (length(id) = 16),
    kind BIGINT NOT NULL CHECK (kind BETWEEN 0 AND 255),
    subject BYTEA CHECK (length(subject) = 32),
    state BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    run_at BIGINT,
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    lease_until BIGINT,
    fence BIGINT NOT NULL CHECK (fence >= 0),
    finished_at BIGINT,
    PRIMARY KEY (organisation, id)
);

CREATE TABLE retention (
    organisation TEXT COLLATE "C" PRIMARY KEY REFERENCES organisation (id),
    policy BYTEA NOT NULL CHECK (length(policy) = 32),
    activated_at BIGINT NOT NULL,
    newest BIGINT NOT NULL,
    swept_at BIGINT
);

CREATE UNIQUE INDEX one_newest_consent ON consent (organisation, subject, scope) WHERE newest = 1;
CREATE INDEX consent_due ON consent (organisation, expires)
    WHERE newest = 1 AND status <= 2 AND expires IS NOT NULL;
CREATE INDEX served_of_subject ON served (organisation, subject);
CREATE INDEX holding_of_subject ON holding (organisation, subject, class, scope);
CREATE UNIQUE INDEX one_biometric_holding ON holding (organisation, subject, scope)
    WHERE class = 1 AND state < 3;
CREATE INDEX holding_condemned ON holding (organisation, leaf) WHERE state = 2;
CREATE INDEX holding_review ON holding (organisation, review_at, leaf)
    WHERE state = 1 AND review_at IS NOT NULL;
CREATE INDEX holding_spent ON holding (organisation, changed_at, leaf) WHERE state = 3 AND class = 9;
CREATE INDEX record_of_key ON record (organisation, key_version);
CREATE INDEX payload_of_leaf ON payload (organisation, leaf);
CREATE INDEX payload_of_key ON payload (organisation, key_version);
CREATE INDEX document_of_leaf ON document (organisation, leaf, kind);
CREATE INDEX document_of_key ON document (organisation, key_version);
CREATE INDEX document_due ON document (organisation, kind, next_at, id)
    WHERE next_at IS NOT NULL AND closed_at IS NULL;
CREATE INDEX legal_hold_of_subject ON legal_hold (organisation, subject);
CREATE INDEX job_due ON job (organisation, kind, run_at, id) WHERE run_at IS NOT NULL;
CREATE INDEX job_of_subject ON job (organisation, subject) WHERE subject IS NOT NULL;
CREATE INDEX job_finished ON job (organisation, finished_at, id) WHERE finished_at IS NOT NULL;

-- A transaction names its organisation by the setting; the setting * lists organisations and shows nothing else.
ALTER TABLE organisation ENABLE ROW LEVEL SECURITY;
ALTER TABLE organisation FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON organisation USING (id = current_setting('vouchsafe.organisation', true));
ALTER TABLE notice ENABLE ROW LEVEL SECURITY;
ALTER TABLE notice FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notice USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE subject ENABLE ROW LEVEL SECURITY;
ALTER TABLE subject FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON subject USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE consent ENABLE ROW LEVEL SECURITY;
ALTER TABLE consent FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON consent USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE served ENABLE ROW LEVEL SECURITY;
ALTER TABLE served FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON served USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE subject_mark ENABLE ROW LEVEL SECURITY;
ALTER TABLE subject_mark FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON subject_mark USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE life_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE life_event FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON life_event USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE residence ENABLE ROW LEVEL SECURITY;
ALTER TABLE residence FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON residence USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE holding ENABLE ROW LEVEL SECURITY;
ALTER TABLE holding FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON holding USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE holding_tally ENABLE ROW LEVEL SECURITY;
ALTER TABLE holding_tally FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON holding_tally USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE record ENABLE ROW LEVEL SECURITY;
ALTER TABLE record FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON record USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE entry FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON entry USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE public_payload ENABLE ROW LEVEL SECURITY;
ALTER TABLE public_payload FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON public_payload USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE payload ENABLE ROW LEVEL SECURITY;
ALTER TABLE payload FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON payload USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE document ENABLE ROW LEVEL SECURITY;
ALTER TABLE document FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON document USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE legal_hold ENABLE ROW LEVEL SECURITY;
ALTER TABLE legal_hold FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON legal_hold USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE job ENABLE ROW LEVEL SECURITY;
ALTER TABLE job FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON job USING (organisation = current_setting('vouchsafe.organisation', true));
ALTER TABLE retention ENABLE ROW LEVEL SECURITY;
ALTER TABLE retention FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON retention USING (organisation = current_setting('vouchsafe.organisation', true));
CREATE POLICY listed ON organisation FOR SELECT USING (current_setting('vouchsafe.organisation', true) = '*');

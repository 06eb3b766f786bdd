CREATE INDEX holding_spent ON holding (organisation, changed_at, leaf) WHERE state = 3 AND class = 9;
CREATE INDEX job_finished ON job (organisation, finished_at, id) WHERE finished_at IS NOT NULL;

-- What a client stores, counted by what is counted. The sums over the slots count: a client without a quota
-- spreads what it adds over them, so that its requests do not wait for each other. A workload's own migration
-- brings the rows of its counters.
CREATE TABLE usage (
    counter text COLLATE "C" NOT NULL CHECK (char_length(counter) BETWEEN 1 AND 63),
    slot    smallint NOT NULL CHECK (slot BETWEEN 0 AND 15),
    amount  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (counter, slot)
) WITH (fillfactor = 10);

-- Who changed what, when. No reference to the subject: the entry outlives it. A page, newest first, is a walk
-- along the key, or along the index where it is about one subject; few kinds have the same ids.
CREATE TABLE audit_log (
    id              bigint GENERATED ALWAYS AS IDENTITY,
    timestamp       timestamptz NOT NULL DEFAULT now(),
    actor           text NOT NULL CHECK (char_length(actor) BETWEEN 1 AND 255),
    action          text NOT NULL CHECK (char_length(action) BETWEEN 1 AND 63),
    subject_kind    text COLLATE "C" NOT NULL CHECK (char_length(subject_kind) BETWEEN 1 AND 63),
    subject_id      text COLLATE "C" NOT NULL CHECK (char_length(subject_id) BETWEEN 1 AND 255),
    subject_version integer,
    trace_id        text,
    request_id      text,
    -- What the kind and the id do not say; nothing secret.
    details         jsonb CHECK (jsonb_typeof(details) = 'object'),
    PRIMARY KEY (timestamp, id)
);
CREATE INDEX audit_log_subject ON audit_log (subject_id, timestamp, id);

-- What was answered to a request that may be sent again. A row without a status is of a request in flight,
-- until its lease ends.
CREATE TABLE idempotency_keys (
    key          text PRIMARY KEY CHECK (char_length(key) BETWEEN 1 AND 255),
    holder       uuid NOT NULL,
    leased_until timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    fingerprint  bytea CHECK (octet_length(fingerprint) = 32),
    status       smallint CHECK (status BETWEEN 100 AND 599),
    headers      text[],
    body         bytea,
    CHECK (num_nulls(fingerprint, status, headers, body) IN (0, 4))
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- When the servers next do by themselves what nobody asks for; who moves the time ahead does it.
CREATE TABLE maintenance_tasks (
    name text PRIMARY KEY CHECK (char_length(name) BETWEEN 1 AND 63),
    due  timestamptz NOT NULL
);

-- What happens to a document after its upload. A server of version 2 knows none of these columns, so
-- each has a default that is right for what such a server writes: no content_timestamp and no
-- modified_timestamp mean the upload's.
ALTER TABLE document_metadata
    ADD COLUMN version            integer NOT NULL DEFAULT 1 CHECK (version >= 1),
    ADD COLUMN content_timestamp  timestamptz,
    ADD COLUMN modified_timestamp timestamptz,
    ADD COLUMN summary            text,
    ADD COLUMN tags               text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 50),
    ADD COLUMN legal_hold         boolean NOT NULL DEFAULT false,
    ADD COLUMN deleted_timestamp  timestamptz,
    ADD COLUMN text_state         text NOT NULL DEFAULT 'Pending'
        CHECK (text_state IN ('Pending', 'Indexed', 'NoText', 'Failed')),
    ADD COLUMN text_attempts      smallint NOT NULL DEFAULT 0,
    ADD COLUMN text_due           timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN text_traceparent   text;

-- A list shows what is not in the trash; the purge looks only at what is. Servers of version 2 still
-- walk along document_metadata_newest, so a later version drops that.
CREATE INDEX document_metadata_live ON document_metadata (upload_timestamp, id)
    WHERE deleted_timestamp IS NULL;
CREATE INDEX document_metadata_trash ON document_metadata (deleted_timestamp, id)
    WHERE deleted_timestamp IS NOT NULL;
CREATE INDEX document_metadata_tags ON document_metadata USING gin (tags)
    WHERE tags <> '{}';
-- The queue of documents whose text is yet to be read and summarized.
CREATE INDEX document_metadata_text_due ON document_metadata (text_due, id)
    WHERE text_state = 'Pending';

-- The contents that a document had before; the present one is in document_metadata.
CREATE TABLE document_versions (
    document_id      bigint NOT NULL REFERENCES document_metadata ON DELETE CASCADE,
    version          integer NOT NULL CHECK (version >= 1),
    file_size        bigint NOT NULL CHECK (file_size >= 0),
    file_type        text NOT NULL CHECK (char_length(file_type) BETWEEN 1 AND 255),
    content_key      uuid NOT NULL UNIQUE,
    sha256           bytea NOT NULL CHECK (octet_length(sha256) = 32),
    upload_timestamp timestamptz NOT NULL,
    PRIMARY KEY (document_id, version)
);

-- The text of a document's present content, and what a search looks through: name, summary, text.
CREATE TABLE document_text (
    document_id bigint PRIMARY KEY REFERENCES document_metadata ON DELETE CASCADE,
    text        text NOT NULL,
    search      tsvector NOT NULL
);
-- The second part lets a search look at a thousand documents at a time, the newest first.
CREATE INDEX document_text_search ON document_text USING gin (search, (ARRAY[document_id / 1024]))
    WITH (gin_pending_list_limit = 512);

-- Documents and bytes, versions and trash included. Their sums count; a client without a quota spreads
-- its uploads over the slots so that they do not wait for each other.
CREATE TABLE client_usage (
    slot      smallint PRIMARY KEY CHECK (slot BETWEEN 0 AND 15),
    documents bigint NOT NULL DEFAULT 0,
    bytes     bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO client_usage (slot) SELECT generate_series(0, 15);
UPDATE client_usage SET (documents, bytes) =
    (SELECT count(*), coalesce(sum(file_size), 0) FROM document_metadata) WHERE slot = 0;

-- Who changed what, when. No reference to the document: the entry outlives it. A page, newest first, is
-- a walk along the key, or along the index where it is about one document.
CREATE TABLE audit_log (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    timestamp   timestamptz NOT NULL DEFAULT now(),
    actor       text NOT NULL CHECK (char_length(actor) BETWEEN 1 AND 255),
    action      text NOT NULL CHECK (char_length(action) BETWEEN 1 AND 63),
    document_id bigint,
    version     integer,
    trace_id    text,
    request_id  text,
    PRIMARY KEY (timestamp, id)
);
CREATE INDEX audit_log_document ON audit_log (document_id, timestamp, id) WHERE document_id IS NOT NULL;

-- What was answered to a request that may be sent again, byte for byte. A row without an answer is of a
-- request in flight, until its lease ends.
CREATE TABLE idempotency_keys (
    key         text PRIMARY KEY CHECK (char_length(key) BETWEEN 1 AND 255),
    holder      uuid NOT NULL,
    leased_until timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    fingerprint bytea CHECK (octet_length(fingerprint) = 32),
    answer      bytea
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- When the servers next do by themselves what nobody asks for; who moves the time ahead does it.
CREATE TABLE maintenance_tasks (
    name text PRIMARY KEY CHECK (char_length(name) BETWEEN 1 AND 63),
    due  timestamptz NOT NULL
);

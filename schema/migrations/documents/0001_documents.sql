-- One row a document; its bytes are in the object store under <schema>/<content_key>. No content_timestamp
-- and no modified_timestamp mean the upload's.
CREATE TABLE document_metadata (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    filename           text NOT NULL CHECK (char_length(filename) BETWEEN 1 AND 255),
    file_size          bigint NOT NULL CHECK (file_size >= 0),
    file_type          text NOT NULL CHECK (char_length(file_type) BETWEEN 1 AND 255),
    content_key        uuid NOT NULL UNIQUE,
    sha256             bytea NOT NULL CHECK (octet_length(sha256) = 32),
    upload_timestamp   timestamptz NOT NULL DEFAULT now(),
    version            integer NOT NULL DEFAULT 1 CHECK (version >= 1),
    content_timestamp  timestamptz,
    modified_timestamp timestamptz,
    summary            text,
    tags               text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 50),
    legal_hold         boolean NOT NULL DEFAULT false,
    deleted_timestamp  timestamptz,
    text_state         text NOT NULL DEFAULT 'Pending'
        CHECK (text_state IN ('Pending', 'Indexed', 'NoText', 'Failed')),
    text_attempts      smallint NOT NULL DEFAULT 0,
    text_due           timestamptz NOT NULL DEFAULT now(),
    text_traceparent   text
);
-- A page of a list, newest first, is a walk along this index from where the page before ended; a list shows
-- what is not in the trash, and the purge looks only at what is.
CREATE INDEX document_metadata_live ON document_metadata (upload_timestamp, id)
    WHERE deleted_timestamp IS NULL;
CREATE INDEX document_metadata_trash ON document_metadata (deleted_timestamp, id)
    WHERE deleted_timestamp IS NOT NULL;
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

-- Trash and old versions included.
INSERT INTO usage (counter, slot)
    SELECT counter, slot FROM unnest('{documents,bytes}'::text[]) AS counter, generate_series(0, 15) AS slot;

-- One row a document; its bytes are in the object store under <schema>/<content_key>.
CREATE TABLE document_metadata (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    filename         text NOT NULL CHECK (char_length(filename) BETWEEN 1 AND 255),
    file_size        bigint NOT NULL CHECK (file_size >= 0),
    file_type        text NOT NULL CHECK (char_length(file_type) BETWEEN 1 AND 255),
    content_key      uuid NOT NULL UNIQUE,
    sha256           bytea NOT NULL CHECK (octet_length(sha256) = 32),
    upload_timestamp timestamptz NOT NULL DEFAULT now()
);

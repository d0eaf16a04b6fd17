-- A page of a list, newest first, is a walk along this index from where the page before ended.
CREATE INDEX document_metadata_newest ON document_metadata (upload_timestamp, id);

-- The rights that a cloud's database gives: no superuser, but it may make roles, and the database is its own.
\getenv username DOCKET_USERNAME
\getenv password DOCKET_PASSWORD
\getenv database DOCKET_DATABASE
SET log_statement = 'none';
CREATE ROLE :"username" LOGIN NOSUPERUSER CREATEROLE PASSWORD :'password';
CREATE DATABASE :"database" OWNER :"username";
-- What Postgres gives to everyone, and the operator cannot take back: the other databases, temporary tables, and large
-- objects, which belong to no schema.
REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;
REVOKE TEMPORARY ON DATABASE :"database" FROM PUBLIC;
\connect :"database"
REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;

-- The rights that a cloud's database gives: no superuser, but it may make roles, and the database is its own.
\getenv username DOCKET_USERNAME
\getenv password DOCKET_PASSWORD
\getenv database DOCKET_DATABASE
SET log_statement = 'none';
CREATE ROLE :"username" LOGIN NOSUPERUSER CREATEROLE PASSWORD :'password';
CREATE DATABASE :"database" OWNER :"username";

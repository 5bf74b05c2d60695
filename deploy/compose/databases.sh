#!/bin/sh
# Dagster and MLflow keep their tables to themselves; the API's role can log in before it has any right.
set -e
psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 --set password="$API_PASSWORD" <<'SQL'
CREATE DATABASE dagster;
CREATE DATABASE mlflow;
CREATE ROLE astra_api LOGIN PASSWORD :'password' NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
SQL

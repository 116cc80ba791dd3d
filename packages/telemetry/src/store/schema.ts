import type { FileForm } from "./open-database.ts";

/** "dwtr": marks a SQLite file as traces of a directory. */
const APPLICATION_ID = 0x64_77_74_72;
/** The form of the tables; a file of a newer form stays as it is, one of an unknown form is set aside. */
const SCHEMA_VERSION = 1;

/**
 * What one file holds. A chunk is all spans of one trace that came in one batch, so that a trace is read in few steps; its
 * id, and that of an event, are those of what it is found by. The index keeps words alone, neither texts nor places: what
 * it finds is looked at again.
 */
const SCHEMA = `
  CREATE TABLE totals (id INTEGER PRIMARY KEY CHECK (id = 1), records INTEGER NOT NULL);
  INSERT INTO totals VALUES (1, 0);
  CREATE TABLE resources (id INTEGER PRIMARY KEY, data TEXT NOT NULL UNIQUE);
  CREATE TABLE traces (
    id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, key TEXT NOT NULL, last REAL NOT NULL, data TEXT NOT NULL
  );
  CREATE UNIQUE INDEX traces_by_key ON traces (tenant, key);
  CREATE INDEX traces_by_last ON traces (tenant, last DESC, key);
  CREATE TABLE chunks (id INTEGER PRIMARY KEY, trace INTEGER NOT NULL, data TEXT NOT NULL);
  CREATE INDEX chunks_by_trace ON chunks (trace);
  CREATE TABLE events (
    id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, trace INTEGER, level INTEGER NOT NULL, at REAL NOT NULL,
    resource INTEGER NOT NULL, data TEXT NOT NULL
  );
  CREATE INDEX events_by_level ON events (tenant, level, at DESC, id);
  CREATE INDEX events_by_trace ON events (trace) WHERE trace IS NOT NULL;
  CREATE VIRTUAL TABLE chunk_words USING fts5 (words, content = '', columnsize = 0, detail = none, tokenize = 'ascii');
  CREATE VIRTUAL TABLE event_words USING fts5 (words, content = '', columnsize = 0, detail = none, tokenize = 'ascii');
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** What a file with the traces and logs of an hour is made of. */
export const FORM: FileForm = { schema: SCHEMA, applicationId: APPLICATION_ID, version: SCHEMA_VERSION };

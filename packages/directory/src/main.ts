#!/usr/bin/env node
import { runDaemon } from "@datawire/runtime";
import { directoryDaemon } from "./daemon.ts";

process.exitCode = await runDaemon(directoryDaemon);

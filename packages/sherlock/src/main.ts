#!/usr/bin/env node
import { runDaemon } from "@datawire/runtime";
import { sherlock } from "./app/definition.ts";

process.exitCode = await runDaemon(sherlock);

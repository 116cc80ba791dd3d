#!/usr/bin/env node
import { runDaemon } from "@datawire/runtime";
import { sherlock } from "./definition.ts";

process.exitCode = await runDaemon(sherlock);

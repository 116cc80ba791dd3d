#!/usr/bin/env node
import "@datawire/runtime/small-heap";
import "@datawire/runtime/small-code";
import { runDaemon } from "@datawire/runtime";
import { sherlock } from "./app/definition.ts";

process.exitCode = await runDaemon(sherlock);

#!/usr/bin/env node
import "@datawire/runtime/small-heap";
import { runDaemon } from "@datawire/runtime";
import { watson } from "./app/definition.ts";

process.exitCode = await runDaemon(watson);

#!/usr/bin/env node
import "@datawire/watson/small-heap";
import "./app/small-code.ts";
import { runDaemon } from "@datawire/runtime";
import { agent } from "./app/definition.ts";

process.exitCode = await runDaemon(agent);

#!/usr/bin/env node
import "./app/small-heap.ts";
import { runDaemon } from "@datawire/runtime";
import { router } from "./app/definition.ts";

process.exitCode = await runDaemon(router);

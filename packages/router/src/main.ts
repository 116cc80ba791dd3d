#!/usr/bin/env node
import { runDaemon } from "@datawire/runtime";
import { router } from "./app/definition.ts";

process.exitCode = await runDaemon(router);

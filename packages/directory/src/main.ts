#!/usr/bin/env node
import "./app/small-heap.ts";
import { runDaemon } from "@datawire/runtime";
import { directoryDaemon } from "./app/daemon.ts";

process.exitCode = await runDaemon(directoryDaemon);

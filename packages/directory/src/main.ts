#!/usr/bin/env node
import "./young-heap.ts";
import { runDaemon } from "@datawire/runtime";
import { directoryDaemon } from "./daemon.ts";

process.exitCode = await runDaemon(directoryDaemon);

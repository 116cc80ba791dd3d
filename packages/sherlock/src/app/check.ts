import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Catalog } from "@datawire/catalog";
import { emptyChange, instanceSchema, serviceSchema, type TableChange } from "@datawire/protocol";
import { checkFolder, describeError, type Problem } from "@datawire/runtime";
import type { SherlockSettings } from "../config/settings.ts";
import { Configurator, type Rejection } from "../driver/configurator.ts";
import { createConfigFiles } from "../haproxy/config-files.ts";
import { describeRunDir } from "../haproxy/run-dir.ts";
import { clearServerState } from "../haproxy/server-state.ts";
import { Planning } from "../inputs/planning.ts";
import { checkFiles } from "../setup/check.ts";
import { findHaproxy } from "../setup/haproxy-binary.ts";
import { TemplateError } from "../setup/template-error.ts";
import { prepareProxy } from "../setup/proxy.ts";

/**
 * What `--check` finds beyond the settings themselves: in the files and folders that they name, and in what HAProxy says
 * of the configuration, without services and with some made up. Where no HAProxy is installed, nobody asks it.
 */
export async function checkSherlock(settings: SherlockSettings): Promise<readonly Problem[]> {
  const problems = [...(await checkFolders(settings)), ...(await checkFiles(settings))];
  return problems.length > 0 ? problems : checkConfiguration(settings);
}

async function checkFolders({ haproxy: { runDir, places }, dataDir }: SherlockSettings): Promise<Problem[]> {
  const placed = places.runDir ?? { file: "haproxy.run_dir" };
  try {
    describeRunDir(runDir);
  } catch (error) {
    return [{ ...placed, message: describeError(error) }];
  }
  const ofRunDir = await checkFolder("haproxy.run_dir", runDir, placed);
  if (dataDir === runDir) return ofRunDir;
  return [...ofRunDir, ...(await checkFolder("data_dir", dataDir, places.dataDir ?? { file: "data_dir" }))];
}

async function checkConfiguration(settings: SherlockSettings): Promise<Problem[]> {
  const { command, places } = settings.haproxy;
  const isThere = await findHaproxy(command, settings.env["PATH"] ?? "").then(
    () => true,
    () => false,
  );
  if (!isThere) return [];
  const folder = await mkdtemp(join(tmpdir(), "sherlock-check-"));
  try {
    const rejection = await tryConfiguration(settings, folder);
    if (rejection === null || !rejection.isSaid) return [];
    const { template } = settings.haproxy;
    const [key, place] = template === null ? ["haproxy", places.command] : ["haproxy.template", places.template];
    const part = rejection.services.length === 0 ? "the configuration" : "what it has of a service";
    const message = `${key}: HAProxy refuses ${part}: ${rejection.reason}`;
    return [{ ...(place ?? { file: "sherlock.yaml" }), message }];
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return [{ ...(error.place ?? { file: "haproxy.template" }), message: error.reason }];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @throws TemplateError */
async function tryConfiguration(settings: SherlockSettings, folder: string): Promise<Rejection | null> {
  const dir = describeRunDir(folder, "folder of the check (TMPDIR)");
  await mkdir(dir.mapFolder);
  await clearServerState(dir.serverState);
  const proxy = await prepareProxy(settings, dir);
  const table = new Catalog();
  table.apply(examples(settings.overrides.keys()));
  const planning = new Planning(settings, {
    proxy,
    follower: { table, status: () => FROM_DISK, leftOut: () => [] },
    resolve: (host) => ({ state: "known", address: host }),
    sessionIds: { shared: false, of: (_keeper, service, instance) => [`${service}.${instance}`] },
  });
  const files = createConfigFiles(proxy.binary.path, dir);
  const configurator = new Configurator(proxy.settings, { template: proxy.template, files });
  const options = { configVersion: "check", without: () => planning.empty() };
  const filled = planning.plan({ quarantined: new Map(), kept: new Map(), portsTaken: new Map() });
  const plans = [planning.empty(), ...(filled === null ? [] : [filled])];
  for (const plan of plans) configurator.render(plan, options.configVersion);
  for (const plan of plans) {
    const rejection = await configurator.validate(plan, options);
    if (rejection !== null) return rejection;
  }
  return null;
}

const FROM_DISK = {
  origin: "disk",
  position: null,
  warming: false,
  connected: false,
  divergences: 0,
  ageMs: null,
} as const;

/** A service for each kind of line that a template has, and those of which the settings say something. */
function examples(named: Iterable<string>): TableChange {
  const change = emptyChange();
  for (const name of new Set(["example", ...named])) {
    change.services.push(serviceSchema.parse({ name, primary: "1" }));
    const urls = ["http://127.0.0.1:8080", "https://127.0.0.1:8443/base"];
    for (const [order, url] of urls.entries()) {
      const version = `${order + 1}`;
      change.instances.push(
        instanceSchema.parse({ service: name, name: `i${order}`, version, url, state: "live", since: 0, order }),
      );
    }
  }
  return change;
}

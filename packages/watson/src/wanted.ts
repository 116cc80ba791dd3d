import type { Problem } from "@datawire/runtime";
import { createFileSchema, readServices, type ServiceContext } from "./config/service-file.ts";
import type { WatsonSettings } from "./config/settings.ts";
import { authoritiesOf } from "./core/directories.ts";
import { mergeFiles } from "./core/set.ts";
import { type ParseServices, readAllFiles, type ServiceFilesConfig } from "./io/service-files.ts";

/** How the service files are read under these settings. */
export function filesConfig(settings: WatsonSettings, host: string): ServiceFilesConfig {
  return { sources: settings.services, parse: parserOf(settings, host) };
}

/** Everything that is wrong with the service files: what `--check` prints beside the settings themselves. */
export async function checkServiceFiles(settings: WatsonSettings): Promise<readonly Problem[]> {
  if (settings.single !== null) return [];
  // What the host is makes no difference to whether a file is right.
  return mergeFiles(await readAllFiles(filesConfig(settings, settings.host ?? "localhost"))).problems;
}

function parserOf(settings: WatsonSettings, host: string): ParseServices {
  const { env, zone, defaults, allowExec, directories } = settings;
  const context: Omit<ServiceContext, "noExec"> = {
    env,
    host,
    zone,
    defaults,
    directories: authoritiesOf(directories),
  };
  const parserFor = (noExec: string | null): ParseServices => {
    const whole = { ...context, noExec, schema: createFileSchema({ directories: context.directories, noExec }) };
    return (text, file) => readServices(text, file, whole);
  };
  if (!allowExec) return parserFor("allow_exec is false in watson.yaml, wanted true");
  const trusted = parserFor(null);
  return (text, file, untrusted) => {
    if (untrusted === null) return trusted(text, file, null);
    return parserFor(untrusted)(text, file, untrusted);
  };
}

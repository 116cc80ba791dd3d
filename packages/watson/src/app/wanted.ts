import { checkFolder, formatProblem, type Place, type Problem } from "@datawire/runtime";
import { readServices } from "../config/service-file.ts";
import { createFileSchema, type ServiceContext } from "../config/service-schema.ts";
import type { WatsonSettings } from "../config/settings.ts";
import { authoritiesOf } from "../model/directories.ts";
import { mergeFiles } from "../model/definition-set.ts";
import { areMissing, listFiles } from "../files/list-files.ts";
import { type ParseServices, readAllFiles, type ServiceFilesConfig } from "../files/service-files.ts";

/** How the service files are read under these settings. */
export function filesConfig(settings: WatsonSettings, host: string): ServiceFilesConfig {
  return { sources: settings.services, parse: parserOf(settings, host) };
}

/** What `--check` reports beyond the settings: problems of the data folder and of the service files. */
export async function checkFiles(settings: WatsonSettings): Promise<readonly Problem[]> {
  const ofFolder = await checkFolder("data_dir", settings.dataDir, settings.dataDirPlace);
  return [...ofFolder, ...(await checkServiceFiles(settings))];
}

/** Everything that is wrong with the service files. */
export async function checkServiceFiles(settings: WatsonSettings): Promise<readonly Problem[]> {
  if (settings.single !== null) return [];
  const { services, servicePlaces: places } = settings;
  // Without a setting for service files, the default folder may be missing.
  if (places === null && (await areMissing(services))) return [];
  // The host does not matter for whether a file is right.
  const { problems } = mergeFiles(await readAllFiles(filesConfig(settings, settings.host ?? "localhost")));
  const listed = await listFiles(services, { unusedAfterMs: 0 });
  const sources = new Map([...listed.problems, ...listed.unused].map((one) => [formatProblem(one), one.file]));
  return problems.map((problem) => {
    const source = sources.get(formatProblem(problem));
    // What lies in a folder has a place of its own.
    const index = source === undefined ? -1 : services.indexOf(source);
    return index < 0 ? problem : sourceProblem(problem, places?.[index]);
  });
}

/** A folder or file that cannot be read is told where the settings name it. */
function sourceProblem(problem: Problem, place: Place | undefined): Problem {
  if (place?.line === undefined) return problem;
  return { ...place, message: `services has ${JSON.stringify(problem.file)}: ${problem.message}` };
}

function parserOf(settings: WatsonSettings, host: string): ParseServices {
  const { env, zone, defaults, router, allowExec, directories } = settings;
  const context = { env, host, zone, defaults, router, directories: authoritiesOf(directories) };
  const parserFor = (untrusted: string | null): ParseServices => {
    const noExec = allowExec ? untrusted : "allow_exec is false in watson.yaml, wanted true";
    const whole: ServiceContext = { ...context, noExec, noEnv: untrusted };
    const schema = createFileSchema(whole);
    return (text, file) => readServices(text, file, { ...whole, schema });
  };
  const trusted = parserFor(null);
  return (text, file, untrusted) => (untrusted === null ? trusted : parserFor(untrusted))(text, file, untrusted);
}

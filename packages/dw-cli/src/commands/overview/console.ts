import { endpoints } from "@datawire/api";
import { Unreachable } from "@datawire/link/client";
import type { DirectoryAddress } from "@datawire/protocol";
import { type Dw, flag, type RunCommand } from "../../context/dw.ts";

/** Opens the console in a browser, signed in by a code that is good once; or prints the address that does. */
export const run: RunCommand = async (dw, input) => {
  const { url, expires } = await addressOf(dw);
  if (flag(input, "json")) return dw.output.json({ url, expires });
  if (flag(input, "print")) return dw.output.line(url);
  if (await dw.openPage(url)) return dw.output.note(`opened ${url.replace(/#.*/, "")} in your browser`);
  dw.output.line(url);
  dw.output.note("there is no browser to open it in here; open it where there is one");
  if (expires !== null) dw.output.note("the address signs in once, within a minute");
};

/** The address of the console, with a code where one has to sign in. */
async function addressOf(dw: Dw): Promise<{ readonly url: string; readonly expires: string | null }> {
  const { directory, answer } = await askFirst(dw);
  const { code, expires, url: front, tls } = answer;
  const host = /^[^[].*:/.test(directory.host) ? `[${directory.host}]` : directory.host;
  const own = `${tls ? "https" : "http"}://${host}:${directory.port}/`;
  // After the sign of a fragment, which no browser sends and no proxy writes into its log.
  return { url: `${front ?? own}console/${code === null ? "" : `#code=${code}`}`, expires };
}

/** Asks the addresses of the directory in their order: the page is to be opened at the one that answers. */
async function askFirst(dw: Dw) {
  const ask = (directory: DirectoryAddress) => dw.clientOf(directory).ask(endpoints.createSessionCode);
  const [last, ...others] = dw.directories.toReversed();
  for (const directory of others.toReversed()) {
    try {
      return { directory, answer: await ask(directory) };
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
    }
  }
  if (last === undefined) throw new Error("Cannot open the console: there is no address of a directory");
  return { directory: last, answer: await ask(last) };
}

import { lstat, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ExitError, exitCodes } from "../errors/exit-codes.ts";
import { explainSystemError, fileError, systemErrorCode } from "../errors/system-error.ts";

/** A folder into which other users could put links and files, and so redirect what is written there. */
export class UntrustedFolder extends ExitError {
  constructor(path: string, why: string) {
    super(exitCodes.badConfiguration, `Cannot use the folder ${path}: ${why}`);
    this.name = "UntrustedFolder";
  }
}

/**
 * Makes a folder that only its owner can look into, and the folders above it. These stay open to all, as the programs
 * of a machine run as different users and keep their folders side by side in `/var/lib/datawire`.
 * @throws UntrustedFolder for an existing folder that belongs to another user, or that others can write to.
 */
export async function makePrivateFolder(path: string): Promise<void> {
  try {
    await makeFolder(path, { own: 0o700, above: 0o755 });
  } catch (cause) {
    if (cause instanceof ExitError) throw cause;
    const error = fileError("make the folder", path, cause);
    if (!NEVER_FOLDERS.has(systemErrorCode(cause) ?? "")) throw error;
    throw new ExitError(exitCodes.badConfiguration, error.message, { cause });
  }
  const own = process.getuid?.() ?? 0;
  // For a link, both the link itself and what it points to.
  for (const { uid, mode, isLink } of [toLook(await lstat(path)), toLook(await stat(path))]) {
    if (uid !== own && uid !== 0) {
      const owner = own === 0 ? "root" : `user ${own} or root`;
      const remedy = `name another one, or run this program as user ${uid}`;
      throw new UntrustedFolder(path, `it belongs to user ${uid}, wanted ${owner}; ${remedy}`);
    }
    const why = isLink ? null : whyOpenToOthers(path, mode);
    if (why !== null) throw new UntrustedFolder(path, why);
  }
}

/** Errors that are due to the path and not to the state of the machine, so that another start would not help. */
const NEVER_FOLDERS: ReadonlySet<string> = new Set(["ENOTDIR", "ELOOP", "ENAMETOOLONG"]);

/**
 * Why a folder can never be made or used, whoever tries; null where no reason is found. It makes nothing: only the
 * program itself finds out who owns the folder, and where its user may write.
 */
export async function whyNoFolder(path: string): Promise<string | null> {
  for (let above = path; ; above = dirname(above)) {
    try {
      const stats = await stat(above);
      if (!stats.isDirectory()) return above === path ? "it is a file, wanted a folder" : `${above} is a file`;
      return above === path ? whyOpenToOthers(path, stats.mode) : null;
    } catch (error) {
      const code = systemErrorCode(error) ?? "";
      if (NEVER_FOLDERS.has(code) && code !== "ENOTDIR") return explainSystemError(error);
      if (code === "ENOENT" && (await isLinkAt(above)))
        return `${above === path ? "it" : above} is a link that leads nowhere`;
      if (dirname(above) === above) return null;
    }
  }
}

/** One level after the other: on a read-only file system, `recursive` would report that there is no such folder. */
async function makeFolder(path: string, modes: { readonly own: number; readonly above: number }): Promise<void> {
  try {
    await mkdir(path, { mode: modes.own });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "EEXIST") return requireFolder(path, error);
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolder(dirname(path), { own: modes.above, above: modes.above });
    // Tried again once only: below /proc or an automounter, the folder does not exist however often it is made.
    await mkdir(path, { mode: modes.own }).catch(async (again: unknown) => {
      if (systemErrorCode(again) !== "EEXIST") throw again;
      await requireFolder(path, again); // somebody else was faster
    });
  }
}

async function requireFolder(path: string, error: unknown): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found === null && (await isLinkAt(path)))
    throw new UntrustedFolder(path, "it is a link that leads nowhere, wanted a folder");
  if (found === null) throw error;
  if (!found.isDirectory()) throw new UntrustedFolder(path, "it is a file, wanted a folder");
}

const isLinkAt = (path: string): Promise<boolean> =>
  lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );

const GROUP_OR_OTHERS_WRITE = 0o022;

function whyOpenToOthers(path: string, mode: number): string | null {
  if ((mode & GROUP_OR_OTHERS_WRITE) === 0) return null;
  return `others can write it (mode ${(mode & 0o7777).toString(8)}), wanted 700: chmod 700 ${path}`;
}

interface Looked {
  readonly uid: number;
  readonly mode: number;
  /** The mode of a symbolic link means nothing. */
  readonly isLink: boolean;
}

const toLook = (stats: Awaited<ReturnType<typeof lstat>>): Looked => ({
  uid: Number(stats.uid),
  mode: Number(stats.mode),
  isLink: stats.isSymbolicLink(),
});

import { readFile } from "node:fs/promises";

/** The name of an account, or its number where /etc/passwd has none. */
export async function accountName(uid: number): Promise<string> {
  const accounts = await readFile("/etc/passwd", "utf8").catch(() => "");
  const line = accounts.split("\n").find((one) => one.split(":")[2] === String(uid));
  return line?.split(":", 1)[0] ?? `user ${uid}`;
}

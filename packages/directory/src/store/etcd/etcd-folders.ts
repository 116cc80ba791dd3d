import type { Clock } from "@datawire/runtime";
import { StoreError } from "../contract.ts";
import { EtcdClient } from "./etcd-client.ts";
import { EtcdError } from "./etcd-error.ts";
import { type EtcdConfig, Gateway } from "./gateway.ts";

/**
 * The names between a root, which ends with a slash, and the next slash in the keys below it, however many keys there are.
 * @throws StoreError `unavailable`
 */
export async function listEtcdFolders(
  root: string,
  config: EtcdConfig,
  deps: { readonly clock: Clock },
): Promise<string[]> {
  const client = new EtcdClient(new Gateway(config, deps));
  const names: string[] = [];
  try {
    for (
      let key = await client.firstKey(root, root);
      key !== null;
      key = await client.firstKey(root, after(root, names))
    ) {
      names.push(key.slice(root.length).split("/", 1)[0] as string);
    }
    return names;
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
    throw new StoreError("unavailable", `Cannot list tenants: etcd is out of reach (${error.message})`, {
      cause: error,
    });
  } finally {
    await client.close();
  }
}

/** The first key that is not in the last of the folders: `0` follows the slash. */
const after = (root: string, names: readonly string[]): string => `${root}${names.at(-1)}0`;

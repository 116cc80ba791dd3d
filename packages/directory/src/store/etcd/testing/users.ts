import type { EtcdServer } from "@datawire/runtime/testing";

/** Makes etcd ask who everybody is, and lets one user at the keys below a prefix, as docs/operating.md has it. */
export async function enableUser(
  etcd: EtcdServer,
  user: { readonly name: string; readonly password: string },
  prefix: string,
): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  for (const name of ["root", user.name]) {
    await etcd.call("/v3/auth/role/add", { name });
    await etcd.call("/v3/auth/user/add", { name, password: user.password });
    await etcd.call("/v3/auth/user/grant", { user: name, role: name });
  }
  const perm = { permType: "READWRITE", key: base64(`${prefix}/`), range_end: base64(`${prefix}0`) };
  await etcd.call("/v3/auth/role/grant", { name: user.name, perm });
  await etcd.call("/v3/auth/enable", {});
}

import { type AddressPattern, matchPattern } from "@datawire/protocol";

/** What somebody may do. */
export interface Rights {
  maySend(name: string): boolean;
  maySendAnywhere(): boolean;
  mayListen(name: string): boolean;
  /** Whether they may see and change what there is, beyond messages. */
  readonly mayManage: boolean;
  /** Whose addresses they are; null for those without a tenant. */
  readonly tenant: string | null;
}

/** Everything: what is right on loopback alone. */
export const ALL_RIGHTS: Rights = {
  maySend: () => true,
  maySendAnywhere: () => true,
  mayListen: () => true,
  mayManage: true,
  tenant: null,
};

/** The patterns of a user. */
export interface Patterns {
  readonly send: readonly AddressPattern[];
  readonly listen: readonly AddressPattern[];
}

/** Somebody who may come. */
export interface User extends Patterns {
  readonly name: string;
  /** Null for one who comes with a certificate alone. */
  readonly password: string | null;
}

/** What the patterns of a user allow. Temporary addresses are known to whom they were told, and so are anybody's. */
export function rightsOf({ send, listen }: Patterns): Rights {
  const allows = (patterns: readonly AddressPattern[], name: string): boolean =>
    name.startsWith("$temp/") || patterns.some((pattern) => matchPattern(pattern, name) !== null);
  const isAll = (patterns: readonly AddressPattern[]): boolean => patterns.some(({ text }) => text === "**");
  return {
    maySend: (name) => allows(send, name),
    maySendAnywhere: () => send.length > 0,
    mayListen: (name) => allows(listen, name),
    mayManage: isAll(send) && isAll(listen),
    tenant: null,
  };
}

/** Nothing at all. */
export const NO_RIGHTS: Rights = {
  maySend: () => false,
  maySendAnywhere: () => false,
  mayListen: () => false,
  mayManage: false,
  tenant: null,
};

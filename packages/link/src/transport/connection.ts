import type { DirectoryAddress, ErrorCode } from "@datawire/protocol";
import type { TlsSettings } from "../credentials/tls.ts";

/** Where a link is opened, and with what proof. */
export interface ConnectTarget {
  readonly replica: DirectoryAddress;
  readonly token: string | null;
  readonly tls: TlsSettings | null;
}

/** One WebSocket, as a link uses it; tests connect through memory instead. */
export interface Connection {
  send(text: string): void;
  /** What was sent and has not left this process. */
  readonly bufferedBytes: number;
  /**
   * Says good-bye after what was sent; `closed` follows when the other side has answered.
   * @param code of WebSocket; default: 1000, that all is well.
   */
  close(code?: number): void;
  /** Breaks off at once; no event follows. */
  terminate(): void;
}

/** Called until `closed`, which is the last one; never before `connect` has returned. */
export interface ConnectionEvents {
  opened(): void;
  text(data: string): void;
  /** Something that is no message came: a ping, say. */
  alive(): void;
  /**
   * @param refused true when the other side answered, and that it will not have this client.
   * @param code of that refusal, where it has one.
   */
  closed(reason: string, refused: boolean, code?: ErrorCode): void;
}

/** Opens a connection; failures come as `closed`. */
export type Connect = (target: ConnectTarget, events: ConnectionEvents) => Connection;

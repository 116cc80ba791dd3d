import { WebSocket } from "ws";

/** What a directory says to a client of the original MDK. */
export interface MdkFrame {
  readonly type: string;
  readonly node?: {
    readonly id: string;
    readonly service: string;
    readonly version: string;
    readonly address: string;
    readonly properties: Readonly<Record<string, unknown>>;
    readonly environment: { readonly name: string };
  };
  readonly [field: string]: unknown;
}

/** A client of the original MDK, made by hand from what the real one says and does. */
export interface Original {
  readonly socket: WebSocket;
  /** All that came so far. */
  readonly frames: readonly MdkFrame[];
  send(message: object | string): void;
  /** Says that a node is there, as the real one does every 15 s. */
  active(node: OriginalNode, ttl?: number): void;
  expire(node: OriginalNode): void;
  /** Resolves with the next frame, of those not given out yet, that fits; the ones before it are passed over. */
  next(fits: string | ((frame: MdkFrame) => boolean)): Promise<MdkFrame>;
  /** Resolves with the close code. */
  closed(): Promise<number>;
}

/** A node as an original says it. */
export interface OriginalNode {
  readonly service: string;
  readonly version?: string | null;
  readonly address: string;
  readonly environment?: string;
}

/** How a client of the original protocol connects. */
export interface OriginalOptions {
  readonly path?: string;
  readonly token?: string;
  readonly nodeId?: string;
  readonly environment?: string;
  readonly version?: string;
  /** Says nothing by itself. */
  readonly silent?: boolean;
  readonly tls?: boolean;
}

const environmentOf = (name: string) => ({ $class: "mdk_protocol.OperationalEnvironment", name, fallbackName: null });

/** Connects as the original does: `Host` without a port, and its whole address as `Origin`. */
export async function connectOriginal(port: number, options: OriginalOptions = {}): Promise<Original> {
  const {
    path = "/rtp",
    token = "some",
    nodeId = "node-1",
    environment = "sandbox",
    version = "2.0.0",
    tls = false,
  } = options;
  const url = `${tls ? "wss" : "ws"}://127.0.0.1:${port}${path}?token=${token}`;
  const socket = new WebSocket(url, { headers: { host: "127.0.0.1" }, origin: url, rejectUnauthorized: false });
  const frames: MdkFrame[] = [];
  const waiting = new Set<() => void>();
  let at = 0;
  socket.on("message", (data) => {
    frames.push(JSON.parse((data as Buffer).toString()) as MdkFrame);
    for (const look of waiting) look();
  });
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("error", reject);
    socket.once("unexpected-response", (_, response) => {
      response.resume();
      reject(new Error(`refused with ${response.statusCode}`));
    });
  });
  const send = (message: object | string): void =>
    socket.send(typeof message === "string" ? message : JSON.stringify(message));
  const node = ({ environment: own = environment, version: said = "1.0", ...rest }: OriginalNode) => ({
    $class: "mdk_discovery.Node",
    id: nodeId,
    version: said,
    ...rest,
    properties: { datawire_nodeId: nodeId },
    environment: environmentOf(own),
  });
  if (options.silent !== true)
    send({
      $class: "mdk_protocol.Open",
      version,
      mdkVersion: "2.0.37",
      properties: {},
      nodeId,
      environment: environmentOf(environment),
      type: "open",
    });
  return {
    socket,
    frames,
    send,
    active: (one, ttl = 30) => send({ $class: "mdk_discovery.protocol.Active", node: node(one), ttl, type: "active" }),
    expire: (one) => send({ $class: "mdk_discovery.protocol.Expire", node: node(one), type: "expire" }),
    next: (fits) =>
      new Promise((resolve) => {
        const isIt = typeof fits === "string" ? (frame: MdkFrame) => frame.type === fits : fits;
        const look = (): void => {
          while (at < frames.length) {
            const frame = frames[at++] as MdkFrame;
            if (!isIt(frame)) continue;
            waiting.delete(look);
            return resolve(frame);
          }
        };
        waiting.add(look);
        look();
      }),
    closed: () => closed,
  };
}

/** Fits a frame of a type about a service. */
export const about =
  (type: string, service: string) =>
  (frame: MdkFrame): boolean =>
    frame.type === type && frame.node?.service === service;

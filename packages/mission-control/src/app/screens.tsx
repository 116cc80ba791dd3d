import type { Answer } from "@datawire/api";
import type { ReactNode } from "react";
import { Agents } from "../screens/agents/view.tsx";
import { Callers } from "../screens/callers/view.tsx";
import { Guard } from "../screens/guard/view.tsx";
import { History } from "../screens/history/view.tsx";
import { Logs } from "../screens/logs/view.tsx";
import { TrafficMap } from "../screens/map/view.tsx";
import { Messaging } from "../screens/messaging/view.tsx";
import { Overview } from "../screens/overview/view.tsx";
import { Rollout } from "../screens/rollouts/one.tsx";
import { Rollouts } from "../screens/rollouts/view.tsx";
import { Service } from "../screens/service/view.tsx";
import { Services } from "../screens/services/view.tsx";
import { Tokens } from "../screens/tokens/view.tsx";
import { Trace } from "../screens/trace/view.tsx";

/** A screen of the navigation. */
export interface Screen {
  readonly title: string;
  /** Below the console. */
  readonly path: string;
  /** The letter that opens it after `g`. */
  readonly key?: string;
  /** Whether there is anything for it to show; default: always. What it shows is at its address all the same. */
  isThere?(status: Answer<"status">): boolean;
  /** Only for who has this right. */
  readonly right?: string;
  show(): ReactNode;
  /** Where what `showOne` shows has its address; default: `path`. */
  readonly onePath?: string;
  /** What is shown for an address one segment below it. */
  showOne?(name: string): ReactNode;
}

/** The screens, in the order of the navigation. */
export const SCREENS: readonly Screen[] = [
  { title: "Overview", path: "", key: "o", show: () => <Overview /> },
  {
    title: "Services",
    path: "services",
    key: "s",
    show: () => <Services />,
    showOne: (name) => <Service key={name} name={name} />,
  },
  { title: "Callers", path: "callers", key: "c", show: () => <Callers /> },
  { title: "Map", path: "map", key: "m", show: () => <TrafficMap /> },
  {
    title: "Logs & Traces",
    path: "logs",
    key: "l",
    onePath: "traces",
    show: () => <Logs />,
    showOne: (id) => <Trace key={id} traceId={id} />,
  },
  {
    title: "Messaging",
    path: "messaging",
    isThere: ({ routers = [] }) => routers.length > 0,
    show: () => <Messaging />,
  },
  {
    title: "Rollouts",
    path: "rollouts",
    key: "r",
    show: () => <Rollouts />,
    showOne: (id) => <Rollout key={id} id={id} />,
  },
  { title: "History", path: "history", key: "h", show: () => <History /> },
  { title: "Agents", path: "agents", key: "a", show: () => <Agents /> },
  { title: "Tokens", path: "tokens", right: "administer", show: () => <Tokens /> },
  { title: "Guard", path: "guard", show: () => <Guard /> },
];

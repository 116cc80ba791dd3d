import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import type { Place } from "../core/address.ts";
import type { Connection, Session } from "./connection.ts";
import type { Question, Reply } from "./entry.ts";
import type { Live } from "./live.ts";
import type { Navigation } from "./navigation.ts";
import type { Notices } from "./notices.ts";
import { useStore } from "./store.ts";

/** What every screen works with. */
export interface Console {
  readonly connection: Connection;
  readonly live: Live;
  readonly navigation: Navigation;
  readonly notices: Notices;
}

/** Where screens find what they work with. */
export const ConsoleContext = createContext<Console | null>(null);

/** What every screen works with. @throws Error outside of the console */
export function useConsole(): Console {
  const value = useContext(ConsoleContext);
  if (value === null) throw new Error("Cannot draw a screen outside of the console");
  return value;
}

/** What is known of a question, kept up to date while the view is there. */
export function useReply<T>(question: Question<T>): Reply<T> {
  const entry = useConsole().live.entry(question);
  return useSyncExternalStore(entry.subscribe, entry.get);
}

/** Two replies as one: there is one place for what is awaited, and one for what is wrong. */
export function useBoth<A, B>(a: Reply<A>, b: Reply<B>): Reply<readonly [A, B]> {
  return useMemo(
    () => ({
      data: a.data === null || b.data === null ? null : [a.data, b.data],
      at: a.at === null || b.at === null ? null : Math.min(a.at, b.at),
      error: a.error ?? b.error,
    }),
    [a, b],
  );
}

/** Where the console is. */
export function usePlace(): Place {
  return useStore(useConsole().navigation.place);
}

/** A search parameter of this screen, and the way to change it; the default is no part of the address. */
export function useParam(name: string, standard = ""): readonly [string, (value: string, replace?: boolean) => void] {
  const { navigation } = useConsole();
  const { search } = usePlace();
  const value = new URLSearchParams(search).get(name) ?? standard;
  const set = useCallback(
    (next: string, replace = false) => navigation.setParams({ [name]: next === standard ? null : next }, { replace }),
    [navigation, name, standard],
  );
  return [value, set];
}

/** Who is signed in. */
export function useSession(): Session | null {
  return useStore(useConsole().connection.state).session;
}

/** A reply, and while a changed question has none yet, the data of the one before. */
export function useKept<T>(reply: Reply<T>): Reply<T> {
  const kept = useRef<Reply<T>>(reply);
  if (reply.data !== null) kept.current = reply;
  return reply.data === null && kept.current.data !== null ? { ...kept.current, error: reply.error } : reply;
}

const SETTLED_MS = 250;

/** A text that is being typed, once the typing pauses. */
export function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

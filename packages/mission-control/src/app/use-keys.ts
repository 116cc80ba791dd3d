import { useEffect, useRef } from "react";
import { useConsole } from "../data/console.ts";
import { enterFirstRow } from "../parts/move-in-rows.ts";
import { SCREENS } from "./screens.tsx";

const CHORD_MS = 1_500;

/** Listens to the keys of the console, but not while something is typed or a dialog is open. */
export function useKeys(onHelp: () => void): void {
  const { connection, navigation } = useConsole();
  const help = useRef(onHelp);
  help.current = onHelp;
  useEffect(() => {
    let chordAt = Number.NEGATIVE_INFINITY;
    const listen = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || connection.state.get().session === null) return;
      if (document.querySelector("dialog[open]") !== null) return;
      // Down from the search, or from nowhere, is into the list.
      if (event.key === "ArrowDown" && (isNowhere(event.target) || isSearch(event.target))) {
        if (enterFirstRow()) event.preventDefault();
        return;
      }
      if (isTyping(event.target)) return;
      const isChord = event.timeStamp - chordAt < CHORD_MS;
      chordAt = Number.NEGATIVE_INFINITY;
      if (isChord) {
        const screen = SCREENS.find(({ key }) => key === event.key);
        if (screen === undefined) return;
        event.preventDefault();
        navigation.go(screen.path);
      } else if (event.key === "g") {
        chordAt = event.timeStamp;
      } else if (event.key === "/") {
        const search = document.querySelector<HTMLElement>("input[type=search]");
        if (search === null) return;
        event.preventDefault();
        search.focus();
      } else if (event.key === "?") {
        event.preventDefault();
        help.current();
      }
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [connection, navigation]);
}

/** Nothing has the focus, or the whole of a screen. */
function isNowhere(target: EventTarget | null): boolean {
  return target === document.body || (target instanceof HTMLElement && target.id === "main");
}

function isSearch(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input[type=search]");
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, select, textarea");
}

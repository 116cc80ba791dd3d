import type { MouseEvent, ReactNode } from "react";
import { useConsole } from "../data/console.ts";

interface LinkProps {
  /** The path below the console. */
  readonly to: string;
  readonly search?: string;
  readonly className?: string;
  readonly current?: boolean;
  readonly onFollow?: () => void;
  readonly children: ReactNode;
}

/** A link to a screen, which a browser can open in another tab as well. */
export function Link({ to, search = "", className, current, onFollow, children }: LinkProps) {
  const { navigation } = useConsole();
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    onFollow?.();
    navigation.go(to, search);
  };
  return (
    <a
      href={navigation.hrefOf(to, search)}
      onClick={follow}
      className={className}
      aria-current={current === true ? "page" : undefined}
    >
      {children}
    </a>
  );
}

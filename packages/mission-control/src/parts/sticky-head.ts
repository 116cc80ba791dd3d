import { useLayoutEffect } from "react";

/**
 * Keeps the head of a table in view while its rows are: one that fits its frame is held by the style sheet. One that is
 * wider scrolls sideways within its frame, where that holds nothing: its head is moved along.
 */
export function useStickyHead(body: { readonly current: HTMLElement | null }): void {
  useLayoutEffect(() => {
    const table = body.current?.parentElement;
    const frame = table?.parentElement;
    const head = table?.querySelector("thead");
    if (table === null || table === undefined || frame === null || frame === undefined || head == null) return;
    const place = (): void => {
      const fits = table.offsetWidth <= frame.clientWidth;
      frame.classList.toggle("table-frame-fits", fits);
      const top = document.querySelector<HTMLElement>(".header")?.offsetHeight ?? 0;
      frame.style.setProperty("--head-top", `${top}px`);
      const last = table.offsetHeight - 2 * head.offsetHeight;
      const moved = fits ? 0 : Math.max(0, Math.min(top - frame.getBoundingClientRect().top, last));
      head.style.transform = moved === 0 ? "" : `translateY(${Math.round(moved)}px)`;
    };
    const sizes = new ResizeObserver(place);
    sizes.observe(frame);
    sizes.observe(table);
    window.addEventListener("scroll", place, { passive: true });
    return () => {
      sizes.disconnect();
      window.removeEventListener("scroll", place);
    };
  }, [body]);
}

/** What an orchestrator, a service manager and a terminal (Ctrl-C) send to make a process end. */
export function onStopSignal(react: (signal: string) => void): void {
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => react(signal));
}

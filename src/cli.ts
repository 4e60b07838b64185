#!/usr/bin/env node
import 'reflect-metadata';

// Chat servers start several of this one and wait for them: it gets by without loading the rest, which takes a second.
const { program, output } =
  process.argv[2] === 'chat-extauth'
    ? (await import('./cli/chat-extauth.command.js')).buildChatExtauthProgram()
    : (await import('./cli/program.js')).buildProgram();
try {
  await program.parseAsync();
} catch (error) {
  const { sayWhatStopped } = await import('./start-failure.js');
  process.exitCode = output.failed(error, sayWhatStopped);
}

/* commands.h - the sub-commands of facet-cli
 *
 * Each takes its own arguments (argv[0] is the command's name) and returns
 * the exit status of the program.
 */
#pragma once

#include <glib.h>

typedef enum {
  EXIT_OK = 0,
  EXIT_FAILED = 1,        /* the work could not be done; standard error says why */
  EXIT_USAGE = 2,         /* the command line makes no sense */
  EXIT_INTERRUPTED = 130, /* stopped by Ctrl-C */
} ExitStatus;

int command_bench    (int argc, char **argv);
int command_chat     (int argc, char **argv);
int command_chats    (int argc, char **argv);
int command_describe (int argc, char **argv);
int command_devices  (int argc, char **argv);
int command_encode   (int argc, char **argv);
int command_inspect  (int argc, char **argv);
int command_logits   (int argc, char **argv);
int command_score    (int argc, char **argv);
int command_score_image (int argc, char **argv);
int command_slice    (int argc, char **argv);
int command_summarise (int argc, char **argv);
int command_tokenize (int argc, char **argv);
int command_transcribe (int argc, char **argv);
int command_translate (int argc, char **argv);

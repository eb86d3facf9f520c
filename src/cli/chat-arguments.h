/* chat-arguments.h - what "facet-cli chat" is told */
#pragma once

#include "options.h"

typedef struct {
  Options  options;
  char    *text;
  char    *file;
  char    *system;
  char   **stop_strings;
  char   **images;
  char   **sounds;
  char   **attached;
  char   **tools;
  FacetToolChoice tool_choice;
  FacetCallForm   call_form;
  int      max_tokens;
  gboolean think;
  gboolean raw;
  gboolean stats;
  gboolean quiet;
} ChatArguments;

void     chat_arguments_clear (ChatArguments *arguments);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ChatArguments, chat_arguments_clear)

/* Fills in what was zeroed; FALSE: a complaint was printed. */
gboolean chat_arguments_parse (ChatArguments *arguments, int argc, char **argv);
/* Whether one question was given, with -p or -f, instead of a conversation. */
gboolean chat_arguments_ask_once (const ChatArguments *arguments);

/* call-runner.h - answering the model's calls of tools at a terminal */
#pragma once

#include "facet.h"

typedef struct CallRunner CallRunner;

/* @names: "builtin" and files of tools, at least one; NULL-terminated. Reports
 * any error and then returns NULL. @cancel stops a call; @quiet shows nothing but questions. */
CallRunner *call_runner_new   (const char *const *names, FacetCancel *cancel, gboolean quiet);
void        call_runner_free  (CallRunner *runner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CallRunner, call_runner_free)

GPtrArray  *call_runner_tools (CallRunner *runner);

/* A ConversationCallFunc: shows the call, asks where a question is due, runs
 * it and returns what the model is told. Without a terminal to ask at, what
 * needs a yes is refused. */
char       *call_runner_run   (const FacetCall *call, gpointer runner);

/* options.h - command-line options that several sub-commands share */
#pragma once

#include "facet.h"

/* Values as given; what was not given keeps its zero or the stated mark. */
typedef struct {
  char            *model;  /* never NULL after options_parse() with OPTIONS_MODEL */
  char            *mmproj;
  int              context; /* 0: not given */
  int              threads;
  FacetBackendKind backend;
  int              device; /* 0: not given, or the processor */
  guint64          device_memory; /* bytes; 0: not given */
  FacetKvType      kv_type;
  gboolean         exact;
  int              image_detail; /* 0: not given */
  FacetPanAndScan  pan_and_scan;
  gboolean         json;

  /* OPTIONS_SAMPLING; negative: not given */
  double           temperature;
  int              top_k;
  double           top_p;
  double           min_p;
  double           repeat_penalty;
  gint64           seed;
} Options;

typedef enum {
  OPTIONS_MODEL = 1 << 0,    /* -m and how it is run */
  OPTIONS_SAMPLING = 1 << 1,
  OPTIONS_JSON = 1 << 2,
  OPTIONS_DEVICE = 1 << 3,   /* of OPTIONS_MODEL, what decides where it runs and how much memory it takes */
} OptionsWanted;

void options_init  (Options *options);
void options_clear (Options *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* Reads @argv into @options and into the command's own @entries. Prints what
 * is wrong and returns FALSE if the command line makes no sense; --help
 * prints and leaves the program. @parameters describes the arguments that
 * are no options ("[FILE]") or is NULL if there are none; what is left of
 * them stays in @argv. */
gboolean options_parse (Options            *options,
                        OptionsWanted       wanted,
                        const char         *parameters,
                        const char         *summary,
                        const GOptionEntry *entries,
                        int                *argc,
                        char             ***argv);

/* Says "facet-cli COMMAND: MESSAGE" and how to get help. */
void options_complain (const char *command, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* For texts that reach the model: taken byte by byte, valid UTF-8 or not. */
#define OPTIONS_ARG_BYTES G_OPTION_ARG_FILENAME

/* The text of -p, which @text holds if it was given, or of -f @file ("-":
 * standard input). Exactly one must be given. Reports any error and returns
 * the exit status. */
int options_read_text (char **text, const char *file, gsize *length);

/* What the command line asks for, the rest as the model recommends. */
FacetSampling options_sampling (const Options *options, FacetModel *model);

/* Loads what -m and --mmproj name, with progress on a terminal; Ctrl-C raises
 * @cancel, which may be NULL, once interrupt_install() was called. Reports
 * any error itself and then returns NULL. */
FacetModel *options_load_model (const Options *options, FacetCancel *cancel);

/* The same for a command that Ctrl-C can stop at any time, from here on.
 * Returns the exit status; with EXIT_OK there is a @model (transfer full). */
int options_open_model (const Options *options, FacetCancel *cancel, FacetModel **model);

/* A session of --ctx and --kv. Reports any error itself and then returns NULL. */
FacetSession *options_new_session (const Options *options, FacetModel *model);

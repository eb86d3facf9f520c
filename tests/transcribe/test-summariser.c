/* Texts of any length, summarised: what the model is asked, that all of a text
 * is read once and in order, and that rounds of notes come to an end. The
 * model is a script for which every letter is a token. */
#include "facet-summariser.h"

#include <string.h>

#include "chat/prompt.h"

#define BEFORE "Sum up:\n\n"
#define AFTER "\nBriefly."
#define NOTES "This is part "

typedef struct {
  GString    *parts;     /* what was to be noted, in order */
  GString    *final;     /* the text of the last question */
  guint       asked;
  int         stop_at, fail_at; /* call; -1: none */
  int         limit;
  gboolean    wordy;     /* notes are the parts themselves */
  FacetCancel *cancel;
} Script;

static const char *
text_of (FacetPrompt *prompt)
{
  g_assert_cmpuint (prompt->turns->len, ==, 1);
  return ((const FacetTurn *) g_ptr_array_index (prompt->turns, 0))->text->str;
}

static int
script_count (gpointer self, FacetPrompt *prompt, GError **error)
{
  return (int) g_utf8_strlen (text_of (prompt), -1);
}

/* The words that begin with "#", which matter. */
static char *
note_down (const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \n", -1);
  g_autoptr (GString) notes = g_string_new (NULL);

  for (guint i = 0; words[i] != NULL; i++)
    if (words[i][0] == '#')
      g_string_append_printf (notes, "%s%s", notes->len > 0 ? " " : "", words[i]);
  return g_string_free (g_steal_pointer (&notes), FALSE);
}

static gboolean
script_reply (gpointer self, FacetPrompt *prompt, const FacetReplyParams *params, FacetReply *reply, GError **error)
{
  Script *script = self;
  const char *text = text_of (prompt);
  gboolean notes = g_str_has_prefix (text, NOTES);
  const char *part = notes ? strstr (text, "\n\n") + 2 : text;
  int call = (int) script->asked++;

  g_assert_cmpint (script_count (self, prompt, NULL), <=, script->limit);
  if (call == script->fail_at) {
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_NUMERIC, "told to fail");
    return FALSE;
  }
  if (call == script->stop_at)
    facet_cancel (script->cancel);
  if (notes) {
    g_assert_cmpint (params->max_tokens, <, script->limit / 2);
    g_assert_null (params->on_text);
    g_string_append (script->parts, part);
  } else {
    g_string_assign (script->final, text);
  }
  *reply = (FacetReply){ .text = script->wordy ? g_strdup (part) : note_down (part),
                         .ids = g_array_new (FALSE, FALSE, sizeof (gint32)),
                         .stop_reason = facet_is_cancelled (params->cancel) ? FACET_STOP_CANCELLED : FACET_STOP_EOS };
  if (notes && !script->wordy && strlen (reply->text) > (gsize) params->max_tokens)
    reply->text[params->max_tokens] = '\0';
  if (params->on_text != NULL)
    params->on_text (reply->text, strlen (reply->text), params->user_data);
  return TRUE;
}

typedef struct {
  Script       script;
  GString     *told;
  FacetCancel  cancel;
  FacetSummary summary;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->told = g_string_new (NULL);
  f->script = (Script){ g_string_new (NULL), g_string_new (NULL), .stop_at = -1, .fail_at = -1, .cancel = &f->cancel };
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  facet_summary_clear (&f->summary);
  g_string_free (f->script.parts, TRUE);
  g_string_free (f->script.final, TRUE);
  g_string_free (f->told, TRUE);
}

static void
on_text (const char *text, gsize length, gpointer data)
{
  g_string_append_len (((Fixture *) data)->told, text, (gssize) length);
}

static gboolean
summarise (Fixture *f, const char *text, int context, GError **error)
{
  FacetListener listener = { script_reply, script_count, &f->script };
  FacetSummariseParams params = {
    .before = BEFORE, .after = AFTER, .context = context, .on_text = on_text, .user_data = f, .cancel = &f->cancel,
  };

  f->script.limit = context - context / 4;
  return facet_summarise (&listener, text, &params, &f->summary, error);
}

/* @n sentences of which every tenth has something that matters. */
static char *
make_text (int n)
{
  GString *text = g_string_new (NULL);

  for (int i = 0; i < n; i++) {
    if (i % 10 == 0)
      g_string_append_printf (text, "It was #fact%d that day. ", i / 10);
    g_string_append_printf (text, "Sentence %d says nothing much, e.g. of 3.14 cats.%s", i, i % 7 == 6 ? "\n\n" : " ");
  }
  return g_string_free (text, FALSE);
}

static void
test_short (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (summarise (f, "A #short one.", 1000, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (f->script.asked, ==, 1);
  g_assert_cmpuint (f->summary.parts, ==, 0);
  g_assert_cmpstr (f->script.final->str, ==, BEFORE "A #short one." AFTER);
  g_assert_cmpstr (f->summary.text, ==, "#short");
  g_assert_cmpstr (f->told->str, ==, "#short");
}

/* Every part is told to the model once, in order, cut after a sentence; what
 * matters is in the summary. */
static void
test_long (Fixture *f, gconstpointer data)
{
  g_autofree char *text = make_text (400);
  g_autoptr (GError) error = NULL;

  g_assert_true (summarise (f, text, 2000, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (f->summary.parts, >=, 10);
  g_assert_cmpuint (f->summary.parts, <=, 25);
  g_assert_cmpstr (f->script.parts->str, ==, text);
  for (int i = 0; i < 40; i++) {
    g_autofree char *fact = g_strdup_printf ("#fact%d", i);

    g_assert_nonnull (strstr (f->summary.text, fact));
  }
  g_assert_true (g_str_has_prefix (f->script.final->str, BEFORE));
  g_assert_true (g_str_has_suffix (f->script.final->str, AFTER));
  g_assert_cmpstr (f->told->str, ==, f->summary.text);
  g_assert_cmpint (f->summary.stop_reason, ==, FACET_STOP_EOS);
}

/* Notes that do not fit are noted again. */
static void
test_rounds (Fixture *f, gconstpointer data)
{
  g_autofree char *text = make_text (1600);
  g_autoptr (GError) error = NULL;

  g_assert_true (summarise (f, text, 1000, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (f->script.parts->len, >, strlen (text));
  g_assert_true (g_str_has_prefix (f->script.parts->str, text));
}

/* Without blanks or ends of sentences, and in a script without blanks. */
static void
test_places (Fixture *f, gconstpointer data)
{
  static const char *const units[] = { "x", "漢", "猫がいる。", "Σ " };

  for (guint i = 0; i < G_N_ELEMENTS (units); i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    g_autoptr (GError) error = NULL;

    for (int k = 0; k < 5000; k++)
      g_string_append (text, units[i]);
    g_string_truncate (f->script.parts, 0);
    facet_summary_clear (&f->summary);
    g_assert_true (summarise (f, text->str, 2000, &error));
    g_assert_no_error (error);
    g_assert_cmpstr (f->script.parts->str, ==, text->str);
    g_assert_cmpuint (f->summary.parts, <, 40);
  }
}

static void
test_stop (Fixture *f, gconstpointer data)
{
  g_autofree char *text = make_text (400);

  f->script.stop_at = 2;
  g_assert_true (summarise (f, text, 2000, NULL));
  g_assert_cmpuint (f->script.asked, ==, 3);
  g_assert_cmpint (f->summary.stop_reason, ==, FACET_STOP_CANCELLED);
  g_assert_cmpstr (f->summary.text, ==, "");
  g_assert_cmpstr (f->told->str, ==, "");
}

static void
test_failure (Fixture *f, gconstpointer data)
{
  g_autofree char *text = make_text (400);
  g_autoptr (GError) error = NULL;

  f->script.fail_at = 2;
  g_assert_false (summarise (f, text, 2000, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_NUMERIC);
  g_assert_null (f->summary.text);
}

/* No room beside the words, and notes that never get shorter. */
static void
test_no_room (Fixture *f, gconstpointer data)
{
  g_autofree char *text = make_text (400);
  g_autoptr (GError) error = NULL;

  g_assert_false (summarise (f, text, 60, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_CONTEXT_FULL);
  g_assert_cmpuint (f->script.asked, ==, 0);
  g_clear_error (&error);
  f->script.wordy = TRUE;
  g_assert_false (summarise (f, text, 2000, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_CONTEXT_FULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/summariser/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("short", test_short);
  ADD ("long", test_long);
  ADD ("rounds", test_rounds);
  ADD ("places", test_places);
  ADD ("stop", test_stop);
  ADD ("failure", test_failure);
  ADD ("no-room", test_no_room);
  return g_test_run ();
}

/* Sound through the window's engine: recordings written down piece by piece,
 * in prompts as clips, silence told apart. With Gemma 4's tiny model. */
#include "facet-engine-backend.h"
#include "facet-journal.h"
#include "facet-transcriber.h"

#include <string.h>

#include <glib/gstdio.h>

#include "tree.h"

typedef struct {
  gpointer    engine;
  GString    *text;
  guint       steps; /* progress of listening */
  FacetCancel cancel;
  guint       stop_after; /* steps; 0: never */
  FacetReplySummary answer;
} Fixture;

static char *
kit_path (const char *folder, const char *name)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", folder, name, NULL);
}

/* A copy of a model file with a chat template in front of its other keys, as
 * long as the file's alignment asks for. Returns: (transfer full): its path. */
static char *
copy_with_template (const char *path)
{
  static const char entry[] = "\x17\0\0\0\0\0\0\0tokenizer.chat_template\x08\0\0\0\x15\0\0\0\0\0\0\0{{ stands for some }}";
  gsize length, n = sizeof entry - 1;
  g_autofree char *bytes = NULL;
  g_autoptr (GByteArray) all = g_byte_array_new ();
  char *copy = g_build_filename (g_get_tmp_dir (), "facet-with-template.gguf", NULL);

  g_assert_cmpuint (n % 32, ==, 0);
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  bytes[16]++; /* the number of keys */
  g_byte_array_append (all, (const guint8 *) bytes, 24);
  g_byte_array_append (all, (const guint8 *) entry, (guint) n);
  g_byte_array_append (all, (const guint8 *) bytes + 24, (guint) length - 24);
  g_assert_true (g_file_set_contents (copy, (const char *) all->data, all->len, NULL));
  return copy;
}

static void
set_up (Fixture *f, gconstpointer template)
{
  g_autofree char *path = kit_path ("models/gemma4-tiny", "text-q8_0.gguf");
  FacetLoadSpec spec = { .path = template != NULL ? copy_with_template (path) : g_strdup (path),
                         .projector = kit_path ("models/gemma4-tiny", "mmproj.gguf"),
                         .backend = FACET_BACKEND_CPU };
  g_auto (FacetLoaded) loaded = { 0 };
  g_autoptr (GError) error = NULL;

  f->text = g_string_new (NULL);
  f->engine = facet_engine_backend_native.create (NULL);
  g_assert_true (facet_engine_backend_native.load (f->engine, &spec, NULL, NULL, NULL, &loaded, &error));
  g_assert_no_error (error);
  g_assert_true (loaded.hears);
  g_assert_cmpint (loaded.thinks, ==, template != NULL);
  if (template != NULL)
    g_unlink (spec.path); /* it stays mapped */
  g_free (spec.path);
  g_free (spec.projector);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  facet_engine_backend_native.destroy (f->engine);
  facet_reply_summary_clear (&f->answer);
  g_string_free (f->text, TRUE);
}

static void
on_text (const char *text, gsize length, gpointer data)
{
  g_string_append_len (((Fixture *) data)->text, text, (gssize) length);
}

static void
on_progress (FacetPhase phase, guint64 done, guint64 total, gpointer data)
{
  Fixture *f = data;

  if (phase == FACET_PHASE_ENCODE_AUDIO && total > 0)
    if (++f->steps == f->stop_after)
      facet_cancel (&f->cancel);
}

static gboolean
reply (Fixture *f, FacetRequest *request, GError **error)
{
  FacetReplyParams params = { .max_tokens = 4, .on_text = on_text, .on_progress = on_progress, .user_data = f, .cancel = &f->cancel };

  facet_reply_summary_clear (&f->answer);
  return facet_engine_backend_native.reply (f->engine, request, &params, &f->answer, error);
}

/* WAV, 16 kHz mono: @n times the note with 5 seconds of silence after each. */
static GBytes *
make_wave (int n)
{
  g_autofree char *path = kit_path ("inputs", "note_it.wav"), *note = NULL;
  GByteArray *wave = g_byte_array_new ();
  gsize length;
  guint32 size;

  g_assert_true (g_file_get_contents (path, &note, &length, NULL));
  g_byte_array_append (wave, (const guint8 *) note, 44);
  for (int i = 0; i < MAX (n, 1); i++) {
    guint old = wave->len;

    if (n > 0)
      g_byte_array_append (wave, (const guint8 *) note + 44, (guint) length - 44);
    old = wave->len;
    g_byte_array_set_size (wave, old + 160000);
    memset (wave->data + old, 0, 160000);
  }
  size = GUINT32_TO_LE (wave->len - 8);
  memcpy (wave->data + 4, &size, 4);
  size = GUINT32_TO_LE (wave->len - 44);
  memcpy (wave->data + 40, &size, 4);
  return g_byte_array_free_to_bytes (wave);
}

static FacetRequest *
make_request (int n, gboolean transcribe)
{
  g_autoptr (GBytes) wave = make_wave (n);
  FacetRequest *request = facet_request_new ();

  facet_request_begin_turn (request, FACET_ROLE_USER);
  facet_request_add_bytes (request, FACET_PART_SOUND, wave, "note.wav");
  facet_request_add_text (request, "Transcribe.");
  if (transcribe)
    facet_request_transcribe (request, "Transcribe.");
  return request;
}

static void
test_transcribe (Fixture *f, gconstpointer data)
{
  g_autoptr (FacetRequest) request = make_request (6, TRUE);
  g_autoptr (GError) error = NULL;

  g_assert_true (reply (f, request, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (f->text->len, >, 0);
  g_assert_cmpuint (f->steps, >=, 6);
  g_assert_cmpint (f->answer.stop_reason, !=, FACET_STOP_CANCELLED);
  g_assert_cmpint (f->answer.stats.generated_tokens, >, 0);
}

/* Stopped here, facet-cli goes on from there: sound, model, instruction and
 * sampling give one journal. */
static void
test_same_as_terminal (Fixture *f, gconstpointer data)
{
  g_autofree char *model_path = kit_path ("models/gemma4-tiny", "text-q8_0.gguf"), *projector = kit_path ("models/gemma4-tiny", "mmproj.gguf");
  FacetModelParams params = { .projector = projector, .backend = FACET_BACKEND_CPU };
  g_autoptr (FacetModel) model = facet_model_load (model_path, &params, NULL);
  FacetSampling sampling = facet_model_default_sampling (model);
  g_autoptr (FacetRequest) request = make_request (6, TRUE);
  g_autoptr (GBytes) wave = make_wave (6);
  g_autoptr (FacetAudio) audio = facet_audio_load_bytes (wave, "note.wav", NULL, NULL);
  g_autofree char *key = NULL, *journal = NULL;

  sampling.temperature = 0; /* as facet-cli transcribe without --temp */
  key = facet_transcribe_key (model, projector, "Transcribe.", &sampling);
  journal = facet_journal_path (facet_audio_hash (audio), key);
  g_assert_false (g_file_test (journal, G_FILE_TEST_EXISTS));
  f->stop_after = 2;
  g_assert_true (reply (f, request, NULL));
  g_assert_cmpint (f->answer.stop_reason, ==, FACET_STOP_CANCELLED);
  g_assert_true (g_file_test (journal, G_FILE_TEST_EXISTS));
}

static void
test_silence (Fixture *f, gconstpointer data)
{
  g_autoptr (FacetRequest) request = make_request (0, TRUE);

  g_assert_true (reply (f, request, NULL));
  g_assert_cmpstr (f->text->str, ==, "No speech is heard in this recording.");
  g_assert_cmpint (f->answer.stats.generated_tokens, ==, 0);
}

/* Recordings are written down first; silence has nothing to sum up. */
static void
test_summary (Fixture *f, gconstpointer data)
{
  g_autoptr (FacetRequest) silent = make_request (0, TRUE), spoken = make_request (6, TRUE);
  g_autoptr (GError) error = NULL;

  facet_request_summarise (silent, "Sum up:\n\n", "", NULL);
  facet_request_summarise (spoken, "Sum up:\n\n", "", NULL);
  g_assert_true (reply (f, silent, &error));
  g_assert_cmpstr (f->text->str, ==, "No speech is heard in this recording.");
  g_string_truncate (f->text, 0);
  g_assert_true (reply (f, spoken, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (f->steps, >=, 6);
  /* of the summary, four tokens; more were written down */
  g_assert_cmpuint (f->text->len, >, 0);
  g_assert_cmpuint (f->text->len, <, 64);
  g_assert_cmpint (f->answer.stats.generated_tokens, >, 10);
}

/* More text than the context holds, which a plain request cannot ask about. */
static void
test_long_text (Fixture *f, gconstpointer data)
{
  g_autoptr (FacetRequest) request = facet_request_new ();
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < 600; i++)
    g_string_append_printf (text, "Sentence %d says that the cat sat on the mat. ", i);
  facet_request_begin_turn (request, FACET_ROLE_USER);
  facet_request_add_text (request, text->str);
  g_assert_false (reply (f, request, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_CONTEXT_FULL);
  g_clear_error (&error);
  facet_request_summarise (request, "Sum up:\n\n", "", text->str);
  g_assert_true (reply (f, request, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (f->text->len, >, 0);
}

static void
test_stop (Fixture *f, gconstpointer data)
{
  g_autoptr (FacetRequest) request = make_request (6, TRUE);
  g_autoptr (GError) error = NULL;

  facet_cancel (&f->cancel);
  if (reply (f, request, &error))
    g_assert_cmpint (f->answer.stop_reason, ==, FACET_STOP_CANCELLED);
  else
    g_assert_error (error, FACET_ERROR, FACET_ERROR_CANCELLED);
  g_assert_cmpuint (f->text->len, ==, 0);
}

/* More than an encoder takes at once: its pieces of speech. */
static void
test_prompt (Fixture *f, gconstpointer data)
{
  g_autoptr (FacetRequest) one = make_request (1, FALSE), six = make_request (6, FALSE);
  g_autoptr (GError) error = NULL;
  int short_one = facet_engine_backend_native.count (f->engine, one, NULL, NULL, &error), all;

  g_assert_no_error (error);
  all = facet_engine_backend_native.count (f->engine, six, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (short_one, >, 200);
  g_assert_cmpint (all, >, 6 * 80);
  g_assert_true (reply (f, one, &error));
  g_assert_no_error (error);
}

static FacetRequest *
make_question (void)
{
  FacetRequest *request = facet_request_new ();

  facet_request_begin_turn (request, FACET_ROLE_USER);
  facet_request_add_text (request, "What is six times seven?");
  return request;
}

static int
count (Fixture *f, FacetRequest *request, int *cached)
{
  g_autoptr (GError) error = NULL;
  int tokens = facet_engine_backend_native.count (f->engine, request, NULL, cached, &error);

  g_assert_no_error (error);
  return tokens;
}

/* Thinking, tools, calls and results all become part of the prompt. */
static void
test_choices (Fixture *f, gconstpointer data)
{
  g_autoptr (FacetRequest) plain = make_question (), tools = make_question (), called = make_question ();
  g_autoptr (GError) error = NULL;
  int before = count (f, plain, NULL);

  tools->tools = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_tool_unref);
  g_ptr_array_add (tools->tools, facet_tool_new ("calculator", "Computes.", NULL, NULL));
  called->tools = g_ptr_array_ref (tools->tools);
  facet_request_begin_turn (called, FACET_ROLE_MODEL);
  facet_request_add_call (called, "calculator", "{\"expression\":\"6*7\"}");
  facet_request_add_result (called, "calculator", "42");
  g_assert_cmpint (count (f, tools, NULL), >, before);
  g_assert_cmpint (count (f, called, NULL), >, count (f, tools, NULL));
  g_assert_true (reply (f, called, &error));
  g_assert_no_error (error);
  g_assert_nonnull (f->answer.calls);
  facet_request_add_call (called, "calculator", "no object");
  g_assert_cmpint (facet_engine_backend_native.count (f->engine, called, NULL, NULL, &error), ==, -1);
  g_assert_nonnull (error);

}

/* Nothing is answered without a file that the person attached. */
static void
test_missing (Fixture *f, gconstpointer data)
{
  g_autoptr (FacetRequest) request = make_question ();
  g_autoptr (GError) error = NULL;

  facet_request_set_missing (request, "/nowhere/notes.txt");
  g_assert_cmpint (facet_engine_backend_native.count (f->engine, request, NULL, NULL, NULL), ==, -1);
  g_assert_false (reply (f, request, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "/nowhere/notes.txt"));
}

/* With a chat template, the turns of the family: a prompt that lets the model
 * think begins otherwise. */
static void
test_thinking (Fixture *f, gconstpointer data)
{
  g_autoptr (FacetRequest) plain = make_request (1, FALSE), thinking = make_request (1, FALSE);
  int known, unknown;

  thinking->thinking = TRUE;
  g_assert_true (reply (f, plain, NULL));
  count (f, plain, &known);
  count (f, thinking, &unknown);
  g_assert_cmpint (known, >, 90);
  g_assert_cmpint (unknown, <, 10);
}

/* A file without a chat template is asked in a transcript, whatever is shown:
 * the prompt of a text is the beginning of that of a sound. */
static void
test_one_template (Fixture *f, gconstpointer data)
{
  g_autoptr (FacetRequest) text = make_question (), sound = make_request (1, FALSE);
  int alone, known;

  alone = count (f, text, NULL);
  g_assert_true (reply (f, text, NULL));
  count (f, sound, &known);
  g_assert_cmpint (known, >, alone / 2);
}

/* Names of files are never read as control tokens: neither those of sounds and
 * pictures, which stand in no prompt, nor those that stand before a text. */
static void
test_names (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "note.wav", "<start_of_turn>model.wav", "<|turn>model", "<end_of_turn>.png", "<turn|>", "<|audio>" };
  g_autofree char *folder = g_dir_make_tmp ("facet-names-XXXXXX", NULL), *chart = kit_path ("inputs", "chart.png"), *bytes = NULL;
  gsize length;
  int expected = 0;

  g_assert_true (g_file_get_contents (chart, &bytes, &length, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    g_autoptr (FacetRequest) request = facet_request_new ();
    g_autoptr (GBytes) wave = make_wave (1);

    g_assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
    facet_request_begin_turn (request, FACET_ROLE_USER);
    facet_request_add_bytes (request, FACET_PART_SOUND, wave, names[i]);
    facet_request_add_picture (request, path);
    facet_request_add_text (request, "What is it?");
    if (i == 0)
      expected = count (f, request, NULL);
    g_assert_cmpint (count (f, request, NULL), ==, expected);
  }
  tree_remove (folder);
}

int
main (int argc, char **argv)
{
  g_autofree char *state = g_dir_make_tmp ("facet-state-XXXXXX", NULL);
  int status;

  g_setenv ("XDG_STATE_HOME", state, TRUE);
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/engine-sound/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("transcribe", test_transcribe);
  ADD ("same-as-terminal", test_same_as_terminal);
  ADD ("silence", test_silence);
  ADD ("summary", test_summary);
  ADD ("long-text", test_long_text);
  ADD ("stop", test_stop);
  ADD ("prompt", test_prompt);
  ADD ("choices", test_choices);
  ADD ("missing", test_missing);
  ADD ("one-template", test_one_template);
  ADD ("names", test_names);
  g_test_add ("/engine-sound/thinking", Fixture, "template", set_up, test_thinking, tear_down);
  status = g_test_run ();
  tree_remove (state);
  return status;
}

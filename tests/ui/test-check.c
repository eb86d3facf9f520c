/* A safety model in the window: what it offers, what it is asked, what of its
 * verdicts is kept. First over a script, then over the engine itself with a
 * tiny model, whose probabilities must be those of facet-cli. */
#include <adwaita.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "composer/facet-composer-private.h"
#include "modes/facet-policy.h"
#include "service/facet-engine-check.h"
#include "ui-fixture.h"
#include "widget-picture.h"

static const char *facet_cli; /* the program's path */

static void
set_up (Fixture *self, gconstpointer data)
{
  self->script.sees = self->script.judges = TRUE;
  fixture_set_up (self, NULL);
  g_settings_reset (self->settings, "policies");
  self->script.answer = "* Dangerous content: unlikely (3 %)\n";
}

static FacetComposer *
composer (Fixture *self)
{
  return self->window->composer;
}

static void
load (Fixture *self, gboolean judges)
{
  FacetLoadSpec spec = { .path = (char *) "model.gguf" };

  self->script.judges = judges;
  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
}

static void
attach (Fixture *self, const char *name)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "inputs", name, NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);

  facet_composer_add_file (composer (self), file);
  fixture_wait (fixture_looked_at, self);
}

/* Why the message cannot be sent; "Send" if it can. */
static void
assert_send (Fixture *self, const char *words)
{
  g_assert_cmpstr (gtk_widget_get_tooltip_text (composer (self)->send), ==, words);
  g_assert_cmpint (gtk_widget_get_sensitive (composer (self)->send), ==, g_str_equal (words, "Send"));
}

/* The items of the mode menu, one a line; "-" before what cannot be chosen. */
static char *
list_modes (Fixture *self)
{
  GMenuModel *menu = gtk_menu_button_get_menu_model (composer (self)->mode_button);
  g_autoptr (GMenuModel) modes = g_menu_model_get_item_link (menu, 0, G_MENU_LINK_SECTION);
  GString *lines = g_string_new (NULL);

  for (int i = 0; i < g_menu_model_get_n_items (modes); i++) {
    g_autofree char *label = NULL, *action = NULL;

    g_menu_model_get_item_attribute (modes, i, G_MENU_ATTRIBUTE_LABEL, "s", &label);
    g_menu_model_get_item_attribute (modes, i, G_MENU_ATTRIBUTE_ACTION, "s", &action);
    g_string_append_printf (lines, "%s%s\n", g_str_equal (action, "composer.mode") ? "" : "-", label);
  }
  return g_string_free (lines, FALSE);
}

static void
test_offers (Fixture *self, gconstpointer data)
{
  g_autofree char *safety = list_modes (self), *chatting = NULL;

  g_assert_cmpstr (facet_composer_get_mode (composer (self))->id, ==, "check");
  g_assert_nonnull (strstr (safety, "-Chat (needs a model that chats)\n"));
  g_assert_nonnull (strstr (safety, "-Describe Picture (needs a model that chats)\n"));
  g_assert_true (g_str_has_suffix (safety, "\nCheck Picture\n"));
  g_assert_false (gtk_widget_get_visible (GTK_WIDGET (composer (self)->choices_button)));
  g_assert_true (gtk_widget_get_visible (composer (self)->options));
  g_assert_nonnull (strstr (adw_status_page_get_description (self->window->welcome), "does not chat"));
  g_assert_false (gtk_widget_get_visible (self->window->sample_chart));
  g_assert_false (gtk_widget_get_visible (self->window->welcome_button));
  g_assert_cmpstr (gtk_label_get_text (GTK_LABEL (composer (self)->placeholder)), ==, "A policy of your own, if you have one");

  load (self, FALSE);
  chatting = list_modes (self);
  g_assert_null (strstr (chatting, "Check Picture"));
  g_assert_null (strstr (chatting, "that chats"));
  g_assert_cmpstr (facet_composer_get_mode (composer (self))->id, ==, "chat");
  g_assert_true (gtk_widget_get_visible (GTK_WIDGET (composer (self)->choices_button)));
  g_assert_cmpstr (gtk_label_get_text (GTK_LABEL (composer (self)->placeholder)), ==, "Ask anything");
}

/* ---- the policies ------------------------------------------------------- */

static GtkCheckButton *
find_check (GtkWidget *widget, const char *name)
{
  const FacetPolicy *policy = GTK_IS_CHECK_BUTTON (widget) ? g_object_get_data (G_OBJECT (widget), "policy") : NULL;
  GtkCheckButton *found = policy != NULL && g_str_equal (policy->name, name) ? GTK_CHECK_BUTTON (widget) : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); found == NULL && child != NULL; child = gtk_widget_get_next_sibling (child))
    found = find_check (child, name);
  return found;
}

static void
choose (Fixture *self, const char *name, gboolean wanted)
{
  GtkWidget *popover = GTK_WIDGET (gtk_menu_button_get_popover (GTK_MENU_BUTTON (composer (self)->options)));

  gtk_check_button_set_active (find_check (popover, name), wanted);
}

static void
assert_label (Fixture *self, const char *label)
{
  g_assert_cmpstr (gtk_menu_button_get_label (GTK_MENU_BUTTON (composer (self)->options)), ==, label);
}

static void
test_objections (Fixture *self, gconstpointer data)
{
  assert_send (self, "Attach the picture to check");
  attach (self, "photo.png");
  assert_send (self, "Send");
  assert_label (self, "3 policies");
  choose (self, "sexual", FALSE);
  choose (self, "dangerous", FALSE);
  assert_label (self, "1 policy");
  assert_send (self, "Send");
  choose (self, "violence", FALSE);
  assert_label (self, "No policy");
  assert_send (self, "Choose a policy, or write one of your own");
  facet_composer_set_text (composer (self), "No cats: the picture shall not show any.");
  assert_send (self, "Send");
  attach (self, "chirp.wav");
  assert_send (self, "This model cannot hear sound: choose one that can, or remove it");
  self->script.hears = TRUE;
  load (self, TRUE);
  assert_send (self, "This model only checks pictures: remove the other files");
}

/* Without its projector it is still asked for nothing else. */
static void
test_blind (Fixture *self, gconstpointer data)
{
  g_autofree char *modes = NULL;

  self->script.sees = FALSE;
  load (self, TRUE);
  modes = list_modes (self);
  g_assert_true (g_str_has_suffix (modes, "\n-Check Picture (needs a model that sees)\n"));
  g_assert_cmpstr (facet_composer_get_mode (composer (self))->id, ==, "check");
  attach (self, "photo.png");
  assert_send (self, "This model cannot see pictures: choose one that can, or remove them");
  self->script.sees = TRUE;
  load (self, TRUE);
  assert_send (self, "Send");
}

static void
check (Fixture *self, const char *picture, const char *own)
{
  attach (self, picture);
  fixture_ask (self, own);
  fixture_wait (fixture_idle, self);
}

static void
test_asks (Fixture *self, gconstpointer data)
{
  g_autofree char *expected = g_strdup_printf ("policy: [Dangerous content][%s]\npolicy: [Violence and gore][%s]\n"
                                               "policy: [Your policy][No cats.]\nuser: <file>\n",
                                               facet_policy_text ("dangerous"), facet_policy_text ("violence"));

  /* neither instructions nor tools nor what was said before go to a safety model */
  g_settings_set_string (self->settings, "system-prompt", "Be brief.");
  g_assert_true (facet_conversation_set_tools (self->window->conversation, TRUE, NULL));
  check (self, "chart.png", "");
  choose (self, "sexual", FALSE);
  check (self, "photo.png", "No cats.");
  g_settings_reset (self->settings, "system-prompt");
  g_assert_cmpstr (self->script.asked->str, ==, expected);
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_DONE);
}

static void
test_kept (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FacetMessage *question;
  gint64 chat;

  choose (self, "sexual", FALSE);
  check (self, "photo.png", "");
  chat = facet_conversation_get_chat_id (self->window->conversation);
  gtk_window_destroy (GTK_WINDOW (self->window));
  settle (50);
  g_object_unref (self->store);
  self->store = facet_store_open (self->folder, FACET_STORE_READ_WRITE, NULL, &error);
  g_assert_no_error (error);
  self->window = facet_window_new (NULL, self->store, self->service, self->library, self->settings);
  gtk_window_present (GTK_WINDOW (self->window));
  facet_window_open_chat (self->window, chat);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, "* Dangerous content: unlikely (3 %)\n");
  g_assert_cmpstr (adw_window_title_get_title (self->window->title), ==, "photo.png");
  question = facet_conversation_get_message (self->window->conversation, 0);
  g_assert_cmpstr (facet_message_get_record (question)->mode, ==, "check;policies=dangerous,violence");
  for (FacetExportFormat format = FACET_EXPORT_MARKDOWN; format <= FACET_EXPORT_JSON; format++) {
    g_autoptr (GOutputStream) stream = g_memory_output_stream_new_resizable ();
    GMemoryOutputStream *memory = G_MEMORY_OUTPUT_STREAM (stream);

    g_assert_true (facet_store_export (self->store, chat, format, stream, NULL, &error));
    g_assert_nonnull (g_strstr_len (g_memory_output_stream_get_data (memory), (gssize) g_memory_output_stream_get_data_size (memory),
                                    "Dangerous content: unlikely (3 %)"));
  }

  /* what was checked once is checked the same again, whatever is chosen now */
  choose (self, "dangerous", FALSE);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.regenerate", "x", facet_message_get_id (fixture_last (self)));
  fixture_wait (fixture_idle, self);
  g_assert_true (g_str_has_prefix (self->script.asked->str, "policy: [Dangerous content]"));
}

/* An answer that another kind of model gave is not given again by this one. */
static void
test_kinds (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  FacetConversation *conversation = self->window->conversation;

  check (self, "photo.png", "");
  load (self, FALSE);
  g_assert_false (facet_replier_answer (self->window->replier, conversation, facet_conversation_get_message (conversation, 0), &error));
  g_assert_cmpstr (error->message, ==, "Only a safety model such as ShieldGemma 2 checks pictures. Choose one first.");
  g_clear_error (&error);

  /* what was checked is part of a talk about it */
  self->script.answer = "It is a photo.";
  fixture_ask (self, "What is it?");
  fixture_wait (fixture_idle, self);
  g_assert_cmpstr (self->script.asked->str, ==,
                   "user: <file> \nmodel: * Dangerous content: unlikely (3 %)\n\nuser: What is it?\n");
  load (self, TRUE);
  g_assert_false (facet_replier_answer (self->window->replier, conversation, facet_conversation_get_message (conversation, 2), &error));
  g_assert_cmpstr (error->message, ==, "This model only checks pictures. Choose another one to chat.");
  g_assert_cmpuint (facet_conversation_get_length (conversation), ==, 4);
}

/* What a stopped check lacks is found out by a new one. */
static void
test_continue (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  self->script.end = FACET_STOP_CANCELLED;
  check (self, "photo.png", "");
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_STOPPED);
  self->script.end = FACET_STOP_EOS;
  g_assert_true (facet_replier_continue (self->window->replier, self->window->conversation, fixture_last (self), &error));
  fixture_wait (fixture_idle, self);
  g_assert_cmpuint (facet_message_get_record (fixture_last (self))->sibling_count, ==, 2);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, self->script.answer);
}

/* Whether a button below @widget that can be seen has this hint. */
static gboolean
shows_button (GtkWidget *widget, const char *hint)
{
  gboolean shown = gtk_widget_get_visible (widget) && g_strcmp0 (gtk_widget_get_tooltip_text (widget), hint) == 0;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); !shown && child != NULL; child = gtk_widget_get_next_sibling (child))
    shown = shows_button (child, hint);
  return shown;
}

/* Only what lacks verdicts can be gone on with. */
static void
test_offers_to_continue (Fixture *self, gconstpointer data)
{
  self->script.end = FACET_STOP_CANCELLED;
  check (self, "photo.png", "");
  g_assert_true (shows_button (self->window->view, "Continue Answer"));
  self->script.end = FACET_STOP_EOS;
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.regenerate", "x", facet_message_get_id (fixture_last (self)));
  fixture_wait (fixture_idle, self);
  g_assert_false (shows_button (self->window->view, "Continue Answer"));
  g_assert_true (shows_button (self->window->view, "Answer Again"));
}

static gboolean
is_counted (Fixture *self)
{
  return self->window->count_job == 0 && self->window->count_timer == 0 && facet_engine_service_get_state (self->service) == FACET_ENGINE_READY;
}

static void
assert_meter (Fixture *self, const char *text)
{
  fixture_wait (is_counted, self);
  g_assert_cmpstr (gtk_label_get_text (composer (self)->meter), ==, text);
}

/* Each picture and policy costs a prompt; what was said before costs nothing. */
static void
test_meter (Fixture *self, gconstpointer data)
{
  self->script.file_tokens = 299;
  assert_meter (self, "");
  attach (self, "photo.png");
  assert_meter (self, "900 tokens, read in parts");
  choose (self, "sexual", FALSE);
  assert_meter (self, "600 tokens, read in parts");
  facet_composer_set_text (composer (self), "No cats.");
  assert_meter (self, "900 tokens, read in parts");
  attach (self, "chart.png");
  assert_meter (self, "1797 tokens, read in parts");
  fixture_ask (self, "");
  fixture_wait (fixture_idle, self);
  assert_meter (self, "");

  /* a check that is edited keeps its pictures */
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.edit", "x",
                              facet_message_get_id (facet_conversation_get_message (self->window->conversation, 0)));
  facet_composer_set_text (composer (self), "No dogs.");
  assert_meter (self, "1797 tokens, read in parts");
}

/* ---- verdicts ----------------------------------------------------------- */

static void
test_verdicts (void)
{
  static const struct {
    double      probability;
    const char *text;
  } cases[] = { { 0, "P: unlikely (under 1 %)" },    { 0.004, "P: unlikely (under 1 %)" },  { 0.006, "P: unlikely (1 %)" },
                { 0.03, "P: unlikely (3 %)" },       { 0.2999, "P: unlikely (30 %)" },      { 0.3, "P: uncertain (30 %)" },
                { 0.5, "P: uncertain (50 %)" },      { 0.7, "P: likely (70 %)" },           { 0.994, "P: likely (99 %)" },
                { 0.999, "P: likely (over 99 %)" },  { 1, "P: likely (over 99 %)" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = facet_verdict_text ("P", cases[i].probability);

    g_assert_cmpstr (text, ==, cases[i].text);
  }
}

/* Every policy has words for the model. */
static void
test_policies (void)
{
  for (const FacetPolicy *policy = facet_policies; policy->name != NULL; policy++)
    g_assert_nonnull (facet_policy_text (policy->name));
}

/* ---- the engine itself -------------------------------------------------- */

static char *
kit (const char *name)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", name, NULL);
}

/* The kit's model under another name of the same length. Returns: (transfer full) */
static char *
make_safety_model (void)
{
  g_autofree char *original = kit ("models/gemma3-tiny/text-f32.gguf");
  g_autofree char *bytes = NULL;
  g_autoptr (GError) error = NULL;
  char *path, *name;
  gsize length;

  g_assert_true (g_file_get_contents (original, &bytes, &length, &error));
  name = memmem (bytes, length, "gemma3-tiny-random", 18);
  g_assert_nonnull (name);
  memcpy (name, "shieldgemma-2-tiny", 18);
  g_close (g_file_open_tmp ("facet-check-XXXXXX.gguf", &path, &error), NULL);
  g_assert_true (g_file_set_contents (path, bytes, (gssize) length, &error));
  return path;
}

static void
load_real (Fixture *self, const char *model)
{
  g_autofree char *projector = kit ("models/gemma3-tiny/mmproj.gguf");
  FacetLoadSpec spec = { .path = (char *) model, .projector = projector, .backend = FACET_BACKEND_CPU, .context = 1024 };

  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
}

/* What facet-cli says of it, as a line of the answer. */
static char *
line_of_cli (const char *model, const char *picture, const char *title, const char *policy)
{
  g_autofree char *projector = kit ("models/gemma3-tiny/mmproj.gguf");
  const char *const argv[] = { facet_cli, "score-image", "-m", model, "--mmproj", projector, "--image", picture, "--policy", policy,
                               "--backend", "cpu", "-c", "1024", NULL };
  g_autofree char *out = NULL;
  g_autoptr (GError) error = NULL;
  double probability;
  int status;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL, &status, &error));
  g_assert_true (g_spawn_check_wait_status (status, NULL));
  probability = g_ascii_strtod (out, NULL);
  g_test_message ("%s: %s", title, out);
  g_assert_cmpfloat (probability, >, 0.005);
  g_assert_cmpfloat (probability, <, 0.3);
  return g_strdup_printf ("* %s: unlikely (%d %%)\n", title, (int) (100 * probability + 0.5));
}

static void
append_expected (GString *expected, const char *model, const char *picture, const char *own)
{
  g_autofree char *path = kit (picture);
  g_autofree char *line = NULL;

  for (const FacetPolicy *policy = facet_policies; policy->name != NULL; policy++) {
    g_autofree char *verdict = line_of_cli (model, path, policy->title, policy->name);

    g_string_append (expected, verdict);
  }
  line = line_of_cli (model, path, "Your policy", own);
  g_string_append (expected, line);
}

static int
prompt_tokens (FacetMessage *answer)
{
  static const char name[] = "\"prompt_tokens\":";
  const char *at = strstr (facet_message_get_record (answer)->stats, name);

  return at != NULL ? atoi (at + strlen (name)) : -1;
}

static void
test_real (Fixture *self, gconstpointer data)
{
  static const char own[] = "No cats: the picture shall not show any.";
  g_autoptr (GString) expected = g_string_new ("How probable it is, by this model’s judgement, that the policies are violated:\n\n"
                                               "**Picture 1**\n\n");
  g_autofree char *meter = NULL;

  g_settings_reset (self->settings, "policies");
  load_real (self, data);
  attach (self, "photo.png");
  attach (self, "chart.png");
  facet_composer_set_text (composer (self), own);
  fixture_wait (is_counted, self);
  meter = g_strdup (gtk_label_get_text (composer (self)->meter));
  fixture_ask (self, own);
  fixture_wait (fixture_idle, self);
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_DONE);
  append_expected (expected, data, "inputs/photo.png", own);
  g_string_append (expected, "\n**Picture 2**\n\n");
  append_expected (expected, data, "inputs/chart.png", own);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, expected->str);
  g_assert_cmpint (prompt_tokens (fixture_last (self)), >, 0);
  g_assert_cmpint (atoi (meter), ==, prompt_tokens (fixture_last (self))); /* as it was told before */
  fixture_picture (self, "check");
}

static gboolean
has_begun (Fixture *self)
{
  return facet_engine_service_get_state (self->service) == FACET_ENGINE_ANSWERING;
}

/* At the first sign of life: before a verdict, or between two. */
static void
test_real_stop (Fixture *self, gconstpointer data)
{
  load_real (self, data);
  attach (self, "photo.png");
  attach (self, "chart.png");
  fixture_ask (self, "No dogs: the picture shall not show any.");
  fixture_wait (has_begun, self);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.stop", NULL);
  fixture_wait (fixture_idle, self);
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_STOPPED);
  g_assert_null (strstr (facet_message_get_text (fixture_last (self)), "**Picture 2**\n\n* D"));
}

static void
test_real_failure (Fixture *self, gconstpointer data)
{
  FacetMessage *question;
  g_autofree char *path = NULL;

  load_real (self, data);
  check (self, "photo.png", "");
  question = facet_conversation_get_message (self->window->conversation, 0);
  path = facet_store_attachment_path (self->store, facet_message_get_record (question)->attachments->pdata[0]);
  g_assert_cmpint (g_remove (path), ==, 0);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.regenerate", "x", facet_message_get_id (fixture_last (self)));
  fixture_wait (fixture_idle, self);
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_FAILED);
  g_assert_nonnull (strstr (facet_message_get_record (fixture_last (self))->stats, path));
}

int
main (int argc, char *argv[])
{
  g_autofree char *model = NULL;
  int result;

  if (!fixture_start (&argc, &argv))
    return 0;
  g_assert_cmpint (argc, ==, 2);
  facet_cli = argv[1];
  model = make_safety_model ();
#define ADD(name, func) g_test_add ("/check/" name, Fixture, NULL, set_up, func, fixture_tear_down)
  ADD ("offers", test_offers);
  ADD ("objections", test_objections);
  ADD ("blind", test_blind);
  ADD ("asks", test_asks);
  ADD ("kept", test_kept);
  ADD ("kinds", test_kinds);
  ADD ("continue", test_continue);
  ADD ("offers-to-continue", test_offers_to_continue);
  ADD ("meter", test_meter);
  g_test_add_func ("/check/verdicts", test_verdicts);
  g_test_add_func ("/check/policies", test_policies);
#undef ADD
#define ADD(name, func) g_test_add ("/check/real/" name, Fixture, model, fixture_set_up, func, fixture_tear_down)
  ADD ("verdicts", test_real);
  ADD ("stop", test_real_stop);
  ADD ("failure", test_real_failure);
  result = g_test_run ();
  g_remove (model);
  return result;
}

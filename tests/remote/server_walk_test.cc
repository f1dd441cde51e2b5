#include "qmail-remote/server_walk.h"

#include <ctime>

#include <gtest/gtest.h>

#include "listener.h"
#include "qmail-remote/messages.h"
#include "scratch.h"

namespace qmail::remote {
namespace {

const IpAddress here = *parse_ip("127.0.0.1");
const IpAddress nobody = *parse_ip("127.0.0.2");

class ServerWalkTest : public testing::Test {
 protected:
  ServerWalk walk(std::initializer_list<IpAddress> addresses) const {
    std::vector<Exchanger> servers;
    for (const IpAddress& address : addresses) servers.push_back({address, 0, "mx.test"});
    return {std::move(servers),
            listener_.port,
            {std::chrono::seconds(5)},
            TimeoutTable(folder_.path(), 4000)};
  }
  // The next server that answers, if there is one, is called.
  static const Exchanger* calls(ServerWalk& walk) {
    while (const Exchanger* server = walk.next()) {
      if (walk.call()) return server;
    }
    return nullptr;
  }
  static Ending ends(Then then, std::string text) { return {deferred(std::move(text)), then}; }

  test::ScratchFolder folder_;
  test::Listener listener_{16};
};

TEST_F(ServerWalkTest, WhoCannotBeReachedGivesWay) {
  ServerWalk one = walk({nobody, here, nobody});
  const Exchanger* called = calls(one);
  ASSERT_NE(called, nullptr);
  EXPECT_EQ(called->address, here);
  EXPECT_EQ(called->name, "mx.test");
  one.ended(ends(Then::try_next, "the last that answered"));
  EXPECT_FALSE(calls(one));
  EXPECT_EQ(std::move(one).report().text, deferred("the last that answered").text);
}

TEST_F(ServerWalkTest, NobodyAnswers) {
  ServerWalk one = walk({nobody});
  EXPECT_FALSE(calls(one));
  EXPECT_EQ(std::move(one).report().text, deferred(text_no_connection).text);
}

TEST_F(ServerWalkTest, AFinalReportEndsIt) {
  for (const Then then : {Then::give_up, Then::without_flights}) {
    ServerWalk one = walk({here, here});
    ASSERT_TRUE(calls(one));
    one.ended(ends(then, "said"));
    EXPECT_FALSE(calls(one));
    EXPECT_EQ(std::move(one).report().text, deferred("said").text);
  }
}

TEST_F(ServerWalkTest, SoManyMayAnswerBadly) {
  ServerWalk one = walk({here, here, here, here, here, here, here});
  int answered = 0;
  while (calls(one)) one.ended(ends(Then::try_next, std::to_string(++answered)));
  EXPECT_EQ(answered, ServerWalk::most_conversations);
  EXPECT_EQ(std::move(one).report().text, deferred("5").text);
}

TEST_F(ServerWalkTest, WhoTimedOutLatelyIsPassedOver) {
  folder_.write("tcpto", std::string(1024, '\0'));
  const TimeoutTable table(folder_.path(), 4000);
  const std::int64_t now = ::time(nullptr);
  for (const int ago : {900, 600, 300}) table.note_timeout(here, now - ago);
  ServerWalk one = walk({here});
  EXPECT_FALSE(calls(one));
  EXPECT_EQ(std::move(one).report().text, deferred(text_no_connection).text);
}

// An address that was known has answered.
TEST_F(ServerWalkTest, AnAnswerClearsTheTable) {
  folder_.write("tcpto", std::string(1024, '\0'));
  const TimeoutTable table(folder_.path(), 4000);
  const std::int64_t now = ::time(nullptr);
  table.note_timeout(here, now - 9000);
  ServerWalk one = walk({here});
  EXPECT_TRUE(calls(one));
  table.note_timeout(here, now);
  EXPECT_FALSE(table.look_up(here, now).skip);
}

}  // namespace
}  // namespace qmail::remote
